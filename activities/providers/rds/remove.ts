import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { BackupFacts } from '../backup-facts.ts';
import { restoredInstance } from './both-instances.ts';
import { deleteInstanceCall, deleteRestoredCall, regionOf, unprotectCall } from './commands.ts';
import { instanceOf, type Rds } from './look.ts';
import { bearsRun, ownName, ownOf } from './own.ts';
import { takeAway } from './take-away.ts';

export async function deleteRestored(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const region = regionOf(facts);
  let [id, isProtected] = [ownName(attempt.tag), false];
  const what = `the instance ${id} in ${region}`;
  await takeAway(rds, attempt, {
    what,
    look: async () => {
      const seen = await restoredInstance(rds, facts, attempt.run);
      if (!seen) return undefined;
      if (!bearsRun(seen.TagList, attempt.run)) {
        throw new Failure('foreign-object', `${what} does not carry the tag of this run; it stays`, { id, region });
      }
      id = seen.DBInstanceIdentifier ?? id;
      // Only what took the source's place is, as that one was.
      isProtected = facts.binding.swap !== undefined && seen.DeletionProtection === true;
      return { identity: seen.DbiResourceId ?? '', status: seen.DBInstanceStatus ?? '' };
    },
    calls: () => [...(isProtected ? [unprotectCall(region, id)] : []), deleteRestoredCall(facts, id)],
  });
}

export async function deleteInstance(rds: Rds, facts: BackupFacts, attempt: Attempt, decided: () => Promise<void>): Promise<void> {
  const { region, id, resource } = facts.binding.source;
  const what = `the instance ${id} in ${region}`;
  await takeAway(rds, attempt, {
    what,
    decided,
    look: async () => {
      const seen = await instanceOf(rds, region, id);
      if (!seen) return undefined;
      if (seen.DbiResourceId !== resource) {
        const found = seen.DbiResourceId ?? 'unknown';
        const summary = `${what} is ${found} now, the plan was made for ${resource}; it stays`;
        throw new Failure('identity-changed', summary, { id, region, found });
      }
      // RDS would say so itself; but then the run would be past its point of no return.
      if (seen.DeletionProtection === true) {
        throw new Failure('provider-refused', `${what} is protected from deletion now, which is for a person to lift; it stays`, { id });
      }
      return { identity: resource, status: seen.DBInstanceStatus ?? '' };
    },
    calls: () => [deleteInstanceCall(facts, ownOf(attempt))],
  });
}
