import type { OpenQuestion, RunDetail } from '../control/contract.ts';
import type { Question } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { UsageError } from './world.ts';

/** The path of a run in the API, from its ULID or its whole name. Throws `UsageError`. */
export function runPath(run: string): string {
  const id = (run.split('/').at(-1) ?? run).toUpperCase();
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) {
    throw new UsageError(
      `"${run}" is not a run: give its ULID (26 characters) or <runbook>/<database>/<ULID>; \`steadyhand runs\` lists them`,
    );
  }
  return `/v1/runs/${id}`;
}

/** The run's one open question of that kind, or the one of that step. Throws `conflict`, saying what is open instead. */
export function questionOf(run: RunDetail, kind: Question['kind'], step?: string): OpenQuestion {
  const found = run.questions.filter((one) => one.kind === kind && (step === undefined || one.approval === step));
  const [first, second] = found;
  if (first === undefined)
    throw new Failure('conflict', `${run.run} asks for no ${kind === 'approval' ? 'approval' : 'decision'} now: ${standing(run)}`);
  if (second !== undefined)
    throw new UsageError(`several are open: say which with --step (${found.map((one) => one.approval).join(', ')})`);
  return first;
}

function standing(run: RunDetail): string {
  if (run.state === 'closed') return `it is closed (${run.outcome ?? 'unknown'})`;
  const open = run.questions.map((one) => `${one.kind === 'approval' ? 'an approval' : 'a decision'} for ${one.approval}`);
  return open.length === 0 ? `it is ${run.state}` : `it waits for ${open.join(' and ')}`;
}
