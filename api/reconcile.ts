import type { FastifyBaseLogger } from 'fastify';
import type { Control, Intent } from '../control/contract.ts';
import type { RunStatus } from '../temporal/runs.ts';
import { atOnce } from './at-once.ts';
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

/** Calls to Temporal at once. */
const looksAtOnce = 10;
/**
 * Runs of a pass that the list has as before and that are looked at all the same: the list may lag behind. After a start these are
 * the runs that were never looked at, then those whose last look is oldest. So a pass is short, also the first one over thousands.
 */
const looksBeside = 100;

/**
 * Compares the runs that are open in the control database with Temporal, and ends those whose workflow is gone: outcome
 * `needs-attention` with what is left, lease orphaned unless nothing is left. Temporal's list of running workflows says which runs
 * need a look, so a pass over thousands of runs is a few calls; only a look decides. A workflow that Temporal does not
 * know is given a minute, counted from the first look. The first ending of a run stands, so repeating is harmless. A run that
 * somebody has reset receives once what people had answered. One that fails does not hold up the others.
 */
export function createReconciler(
  parts: Pick<ApiParts, 'control' | 'temporal'>,
  log: FastifyBaseLogger,
  now: () => number = Date.now,
): () => Promise<void> {
  const unknownSince = new Map<string, number>();
  /** The execution that the list had when the run was found open; the run that was looked at longest ago is the first. */
  const foundOpen = new Map<string, string | undefined>();
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
  const compare = async (run: string, execution: string | undefined): Promise<void> => {
    foundOpen.delete(run);
    const { status, resetTo } = await parts.temporal.look(run);
    if (gone(run, status)) return await end(parts.control, run, status, log);
    if (status !== 'open') return;
    if (resetTo !== null && !told.has(resetTo)) {
      await tellAgain(parts, run);
      told.add(resetTo);
      log.info({ run, execution: resetTo }, 'told a run that was reset what people had answered');
    }
    foundOpen.set(run, execution);
  };
  return async () => {
    const open = await parts.control.runs.open();
    for (const known of [unknownSince, foundOpen]) keepOnly(known, new Set(open));
    const running = await parts.temporal.running();
    // What the list lacks has probably ended, so it comes first.
    const missing = open.filter((run) => !running.has(run));
    const listed = open.filter((run) => running.has(run));
    const changed = listed.filter((run) => foundOpen.has(run) && foundOpen.get(run) !== running.get(run));
    const never = listed.filter((run) => !foundOpen.has(run));
    const oldest = [...foundOpen.keys()].filter((run) => running.has(run) && foundOpen.get(run) === running.get(run));
    const beside = [...never, ...oldest].slice(0, looksBeside);
    const failed = await atOnce(looksAtOnce, [...missing, ...changed, ...beside], (run) => compare(run, running.get(run)));
    if (failed.length > 0) throw failed[0];
  };
}

function keepOnly(known: Map<string, unknown>, names: ReadonlySet<string>): void {
  for (const name of known.keys()) if (!names.has(name)) known.delete(name);
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
