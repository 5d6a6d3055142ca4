import type { RunRow } from '../control/contract.ts';
import { runNameOf } from '../domain/run.ts';
import { line } from './plain.ts';

/** That a run broke the glass, who did, and who has looked at it since; none for all others. */
export function glassLines({ run, state, breakGlass, review }: Pick<RunRow, 'run' | 'state' | 'breakGlass' | 'review'>): string[] {
  if (breakGlass === null) return [];
  const broke = `!! BREAK-GLASS by ${line(breakGlass.person)} at ${breakGlass.at.slice(0, 16)}Z: ${line(breakGlass.reason)}`;
  if (review !== null) return [broke, `   reviewed by ${line(review.person)} at ${review.at.slice(0, 16)}Z: ${line(review.reason)}`];
  if (state !== 'closed') return [broke];
  return [broke, `   NOT REVIEWED: steadyhand review ${runNameOf(run).id} --reason '…'`];
}
