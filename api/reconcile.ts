import type { FastifyBaseLogger } from 'fastify';
import type { Control, Intent } from '../control/contract.ts';
import type { RunStatus } from '../temporal/runs.ts';
import type { ApiParts } from './parts.ts';
import { tellAgain } from './tell-again.ts';

const unknownForMs = 60_000;

const because: Readonly<Record<Exclude<RunStatus, 'open'>, string>> = {
  completed: 'the workflow ended without closing the run',
  failed: 'the workflow failed without closing the run',
  cancelled: 'the workflow was cancelled without closing the run',
  terminated: 'the workflow was terminated',
  'timed-out': 'the workflow ran into a time limit',
  unknown: 'Temporal does not know the workflow any more',
};

/**
 * Compares the runs that are open in the control database with Temporal, and ends those whose workflow is gone: outcome
 * `needs-attention` with what is left, lease orphaned unless nothing is left. A workflow that Temporal does not
 * know is given a minute, and counted from the first look. The first ending of a run stands, so repeating is harmless. A run that
 * somebody has reset is told once what people had answered. One that can't be looked at or told does not hold up the others.
 */
export function createReconciler(
  parts: Pick<ApiParts, 'control' | 'temporal'>,
  log: FastifyBaseLogger,
  now: () => number = Date.now,
): () => Promise<void> {
  const unknownSince = new Map<string, number>();
  const gone = (run: string, status: RunStatus): status is Exclude<RunStatus, 'open'> => {
    if (status !== 'unknown') {
      unknownSince.delete(run);
      return status !== 'open';
    }
    const since = unknownSince.get(run) ?? now();
    unknownSince.set(run, since);
    return now() - since >= unknownForMs;
  };
  const told = new Set<string>();
  const compare = async (run: string): Promise<void> => {
    const { status, resetTo } = await parts.temporal.look(run);
    if (gone(run, status)) {
      await end(parts.control, run, status, log);
      unknownSince.delete(run);
    } else if (status === 'open' && resetTo !== null && !told.has(resetTo)) {
      await tellAgain(parts, run);
      told.add(resetTo);
      log.info({ run, execution: resetTo }, 'told a run that was reset what people had answered');
    }
  };
  return async () => {
    const failed: unknown[] = [];
    const open = await parts.control.runs.open();
    for (const { run } of open) await compare(run).catch((error: unknown) => failed.push(error));
    const names = new Set(open.map((one) => one.run));
    for (const run of unknownSince.keys()) if (!names.has(run)) unknownSince.delete(run);
    if (failed.length > 0) throw failed[0];
  };
}

async function end(control: Control, run: string, status: Exclude<RunStatus, 'open'>, log: FastifyBaseLogger): Promise<void> {
  const left = (await control.attempts.unsettled(run)).map(leftText);
  await control.runs.close(run, {
    outcome: 'needs-attention',
    because: because[status],
    left,
    free: left.length === 0,
    actor: { kind: 'system', name: 'temporal', channel: 'engine' },
  });
  log.error({ run, status, left: left.length }, because[status]);
}

function leftText(intent: Intent): string {
  // No colon: of "set-password: made" what follows would be struck out as a password.
  return `${intent.step} (${intent.outcome ?? 'begun, and nobody knows how it ended'})`;
}
