import { setTimeout as wait } from 'node:timers/promises';
import { heldBy } from '../../../domain/retention.ts';
import type { Attempt } from '../../attempt.ts';
import type { OldCopy, BackupFacts } from '../backup-facts.ts';
import type { RemovedCopies } from '../answers.ts';
import { removeCopiesCalls } from './commands.ts';
import { awsCodeOf, snapshotFrom, snapshotOf, type Rds } from './look.ts';

/**
 * Each is looked at once more right before it goes: the plan may be days old, and a hold is younger. So is the good copy that lets
 * them go: without it none does. One that is in use is tried again for the grace of AWS, when the others have gone.
 */
export async function removeCopies(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<RemovedCopies> {
  const { region, remove, newestGood } = facts.binding.prune ?? { region: '', remove: [], newestGood: null };
  await attempt.intend({ removes: remove.map(({ arn }) => arn) });
  const missing = await whatIsMissing(rds, region, newestGood);
  const calls = removeCopiesCalls(facts);
  const stayed: { id: string; because: string }[] = [];
  const pruned: string[] = [];
  const { pace } = rds;
  const deadline = Date.now() + pace.graceMs;
  let left = remove.flatMap((copy, at) => (calls[at] ? [{ copy, call: calls[at] }] : []));
  for (;;) {
    const inUse: typeof left = [];
    for (const one of left) {
      attempt.signal.throwIfAborted();
      const done = pruned.length + stayed.length;
      attempt.progress({ summary: `${done} of ${remove.length} old copies in ${region}`, fraction: done / remove.length });
      const found = await snapshotOf(rds, region, one.copy.id);
      const seen = found && snapshotFrom(region, found);
      const because = seen && whyItStays(one.copy, seen, missing);
      if (because !== undefined) stayed.push({ id: one.copy.id, because });
      else if (!seen || seen.status === 'deleting' || (await isRemoved(rds, attempt, one.call))) pruned.push(one.copy.id);
      else inUse.push(one);
    }
    left = inUse;
    if (left.length === 0 || Date.now() >= deadline) break;
    await wait(pace.lookAgainMs, undefined, { signal: attempt.signal });
  }
  await attempt.settle('made');
  return { pruned, stayed: [...stayed, ...left.map(({ copy: { id } }) => ({ id, because: 'it is in use' }))] };
}

async function whatIsMissing(rds: Rds, region: string, newestGood: OldCopy | null): Promise<string | undefined> {
  if (newestGood === null) return 'no good copy stays in its place';
  const found = await snapshotOf(rds, region, newestGood.id);
  const seen = found && snapshotFrom(region, found);
  if (!seen || seen.arn !== newestGood.arn || seen.takenAt !== newestGood.takenAt) return `the newest good copy, ${newestGood.id}, is gone`;
  return seen.status === 'available' ? undefined : `the newest good copy, ${newestGood.id}, is ${seen.status}`;
}

function whyItStays(planned: OldCopy, seen: ReturnType<typeof snapshotFrom>, missing: string | undefined): string | undefined {
  if (seen.arn !== planned.arn || seen.takenAt !== planned.takenAt || seen.run !== planned.run) return 'it is another one than in the plan';
  if (seen.status === 'deleting') return undefined;
  if (seen.status !== 'available') return `it is ${seen.status}`;
  return heldBy(seen.tags) ?? missing;
}

/** Gone or going counts as removed. */
async function isRemoved(rds: Rds, attempt: Attempt, call: ReturnType<typeof removeCopiesCalls>[number]): Promise<boolean> {
  await attempt.current();
  try {
    await rds.aws.call(call.region, call.action, call.input, call.input.DBSnapshotIdentifier, attempt);
    return true;
  } catch (error) {
    const code = awsCodeOf(error);
    if (code === 'InvalidDBSnapshotState') return false;
    if (code === 'DBSnapshotNotFound') return true;
    throw error;
  }
}
