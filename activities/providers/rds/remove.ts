import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { BackupFacts } from '../backup-facts.ts';
import { deleteInstanceCall, deleteRestoredCall, unprotectCall } from './commands.ts';
import { instanceOf, type Rds } from './look.ts';
import { bearsRun, ownName, ownOf } from './own.ts';
import { regionOf } from './restore.ts';
import { takeAway } from './take-away.ts';

export async function deleteRestored(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const region = regionOf(facts);
  const id = ownName(attempt.tag);
  const what = `the instance ${id} in ${region}`;
  await takeAway(rds, attempt, {
    what,
    look: async () => {
      const seen = await instanceOf(rds, region, id);
      if (seen && !bearsRun(seen.TagList, attempt.run)) {
        throw new Failure('foreign-object', `${what} does not carry the tag of this run; it stays`, { id, region });
      }
      return seen && { identity: seen.DbiResourceId ?? '', status: seen.DBInstanceStatus ?? '' };
    },
    calls: () => [deleteRestoredCall(facts, ownOf(attempt))],
  });
}

export async function deleteInstance(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const { region, id, resource } = facts.binding.source;
  const what = `the instance ${id} in ${region}`;
  let isProtected = false;
  await takeAway(rds, attempt, {
    what,
    look: async () => {
      const seen = await instanceOf(rds, region, id);
      if (!seen) return undefined;
      if (seen.DbiResourceId !== resource) {
        const found = seen.DbiResourceId ?? 'unknown';
        throw new Failure('identity-changed', `${what} is ${found} now, the plan was made for ${resource}; it stays`, {
          id,
          region,
          found,
        });
      }
      isProtected = seen.DeletionProtection ?? false;
      return { identity: resource, status: seen.DBInstanceStatus ?? '' };
    },
    calls: () => [...(isProtected ? [unprotectCall(facts)] : []), deleteInstanceCall(facts, ownOf(attempt))],
  });
}
