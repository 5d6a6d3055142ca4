import type { PlaceInLine, RunRow } from '../control/contract.ts';
import { clock } from './clock.ts';
import { line } from './plain.ts';

/**
 * `waits for the lease of orders, 2nd in line: migration-cutover/orders/01K… holds it since 15:22Z; refused at 16:00Z`. While it is
 * free, whose turn it is, and what that run asks people. Nothing for a run that waits for no lease.
 */
export function waitingText({ waits }: Pick<RunRow, 'waits'>, now: number): string | undefined {
  if (waits === null) return undefined;
  const place = `${waits.place}${endingOf(waits.place)} in line`;
  return `waits for the lease of ${waits.database}, ${place}: ${holderText(waits, now)}; refused at ${clock(waits.deadline, now)}`;
}

function holderText({ holder, state, since, first }: PlaceInLine, now: number): string {
  if (state === 'free' || holder === null) return first === null ? 'it is free now' : firstText(first);
  const has = state === 'held' ? `${holder} holds it` : `${holder} ended and left things behind`;
  return since === null ? has : `${has}, since ${clock(since, now)}`;
}

function firstText({ run, state, asks }: NonNullable<PlaceInLine['first']>): string {
  return `${run} comes first, which ${asks === null ? `is ${state}` : `asks: ${line(asks)}`}`;
}

function endingOf(place: number): string {
  const teens = place % 100 >= 11 && place % 100 <= 13;
  return teens ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[place % 10] ?? 'th');
}
