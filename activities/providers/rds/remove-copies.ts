import { heldBy } from '../../../domain/retention.ts';
import type { Attempt } from '../../attempt.ts';
import type { OldCopy, BackupFacts } from '../backup-facts.ts';
import type { RemovedCopies } from '../answers.ts';
import { removeCopiesCalls } from './commands.ts';
import { awsCodeOf, snapshotFrom, snapshotOf, type Rds } from './look.ts';

/** Each is looked at once more right before it goes: the plan may be days old, and a hold is younger. */
export async function removeCopies(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<RemovedCopies> {
  const { region, remove } = facts.binding.prune ?? { region: '', remove: [] };
  const calls = removeCopiesCalls(facts);
  await attempt.intend({ removes: remove.map(({ arn }) => arn) });
  const pruned: string[] = [];
  const stayed: { id: string; because: string }[] = [];
  for (const [at, copy] of remove.entries()) {
    attempt.signal.throwIfAborted();
    attempt.progress({ summary: `${at} of ${remove.length} old copies in ${region}`, fraction: at / remove.length });
    const seen = await snapshotOf(rds, region, copy.id);
    const because = seen && whyItStays(copy, snapshotFrom(region, seen));
    const call = calls[at];
    if (because !== undefined) stayed.push({ id: copy.id, because });
    else {
      if (seen && call) await removeOne(rds, attempt, call);
      pruned.push(copy.id);
    }
  }
  await attempt.settle('made');
  return { pruned, stayed };
}

function whyItStays(planned: OldCopy, seen: ReturnType<typeof snapshotFrom>): string | undefined {
  if (seen.arn !== planned.arn || seen.takenAt !== planned.takenAt || seen.run !== planned.run) return 'it is another one than in the plan';
  if (seen.status !== 'available' && seen.status !== 'deleting') return `it is ${seen.status}`;
  return heldBy(seen.tags) ?? undefined;
}

/** Gone or going counts as removed. */
async function removeOne(rds: Rds, attempt: Attempt, call: ReturnType<typeof removeCopiesCalls>[number]): Promise<void> {
  await attempt.current();
  try {
    await rds.aws.call(call.region, call.action, call.input, call.input.DBSnapshotIdentifier, attempt);
  } catch (error) {
    if (awsCodeOf(error) !== 'DBSnapshotNotFound') throw error;
  }
}
