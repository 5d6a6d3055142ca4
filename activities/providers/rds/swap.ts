import type { DBInstance } from '@aws-sdk/client-rds';
import { z } from 'zod';
import { Failure, notYet } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { BackupFacts, SwapFacts } from '../backup-facts.ts';
import type { Kept, Restored } from '../provider.ts';
import { later, ownInstance, restoredInstance, settled, sourceInstance } from './both-instances.ts';
import { putAsideCall, regionOf, renameCall, takeUpCall } from './commands.ts';
import { awsCodeOf, instanceOf, instancesBy, type Rds } from './look.ts';
import { whenBusy } from './make.ts';
import { bearsKey, oldName, oldTagNames, ownName, ownOf, tagsOf } from './own.ts';
import { restoredOf } from './restore.ts';

const dayMs = 86_400_000;

export async function renameSource(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<Kept> {
  const { keepOldDays } = swapOf(facts);
  const seen = await knownSource(rds, facts, attempt);
  const due = new Date(Date.now() + keepOldDays * dayMs).toISOString().slice(0, 10);
  const { removeAfter } = await attempt.intend({ resource: seen.DbiResourceId ?? '', removeAfter: due });
  const { region } = facts.binding.source;
  // Before the name: one that is called so and bears no tags would be nobody's.
  if (!bearsKey(seen.TagList, attempt)) {
    await attempt.current();
    const call = putAsideCall(facts, ownOf(attempt), String(removeAfter), seen.DBInstanceArn ?? '');
    await rds.aws.call(region, call.action, call.input, seen.DBInstanceIdentifier, attempt);
  }
  const keptAs = oldNameOf(facts, attempt);
  await named(rds, attempt, { region, seen, to: keptAs });
  await attempt.settle('made');
  return { keptAs, removeAfter: String(removeAfter) };
}

export async function nameSourceBack(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const { region, id } = facts.binding.source;
  const seen = await knownSource(rds, facts, attempt);
  await attempt.intend({});
  const other = await restoredInstance(rds, facts, attempt.run);
  await named(rds, attempt, { region, seen, to: id, waitsFor: other });
  if (oldTagNames.some((name) => Object.hasOwn(tagsOf(seen.TagList), name))) {
    await attempt.current();
    const call = takeUpCall(facts, seen.DBInstanceArn ?? '');
    await rds.aws.call(region, call.action, call.input, id, attempt);
  }
  lookLonger(rds, attempt, `it is looked for a rename of ${id} that may still begin`);
  await attempt.settle('undone');
}

export async function renameRestored(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  swapOf(facts);
  const seen = await ownInstance(rds, facts, attempt);
  const { resource } = await attempt.intend({ resource: seen.DbiResourceId ?? '' });
  if (resource !== seen.DbiResourceId) {
    const found = seen.DbiResourceId ?? 'unknown';
    throw new Failure('identity-changed', `the restored copy is ${found} now, it was ${String(resource)} when this began`, { found });
  }
  const source = await knownSource(rds, facts, attempt);
  await named(rds, attempt, { region: regionOf(facts), seen, to: facts.binding.source.id, waitsFor: source });
  await attempt.settle('made');
}

export async function nameRestoredBack(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const resource = String(attempt.intended['resource']);
  const region = regionOf(facts);
  const [seen] = await instancesBy(rds, region, { by: 'dbi-resource-id', values: [resource] });
  await attempt.intend({});
  if (seen) {
    await named(rds, attempt, { region, seen, to: ownName(attempt.tag) });
    lookLonger(rds, attempt, `it is looked for a rename of ${seen.DBInstanceIdentifier ?? resource} that may still begin`);
  } else lookLonger(rds, attempt, `the instance ${resource} in ${region} cannot be seen; it is looked for again`, 'asked');
  await attempt.settle('undone');
}

export async function awaitNamed(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<Restored> {
  const { id } = facts.binding.source;
  const seen = await ownInstance(rds, facts, attempt);
  settled(rds, regionOf(facts), seen, attempt);
  const restored = restoredOf(seen);
  if (seen.DBInstanceIdentifier === id && restored) return restored;
  throw notYet(`the restored copy is not called ${id} yet`, rds.pace.lookAgainMs);
}

function swapOf({ binding: { swap, database } }: BackupFacts): SwapFacts {
  if (swap) return swap;
  throw new Failure('internal', `${database}: these facts were taken for a run that swaps nothing`);
}

const oldNameOf = ({ binding: { source } }: BackupFacts, { tag }: Attempt): string => oldName(source.id, tag);

/** The one in use, under one of the two names that this run gives it. */
async function knownSource(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<DBInstance> {
  const { region, id, resource } = facts.binding.source;
  const seen = await sourceInstance(rds, facts);
  if (!seen) {
    lookLonger(rds, attempt, `the instance ${resource} in ${region} cannot be seen; it is looked for again`, 'asked');
    throw new Failure('identity-changed', `the instance ${resource}, which was ${id} in ${region}, is gone`, { id, region });
  }
  const called = seen.DBInstanceIdentifier ?? '';
  if (called === id || called === oldNameOf(facts, attempt)) return seen;
  throw new Failure('drift', `the instance ${resource} in ${region} is called ${called} now, neither ${id} nor as this run calls it`, {
    id,
    region,
    called,
  });
}

interface Naming {
  readonly region: string;
  readonly seen: DBInstance;
  readonly to: string;
  /** The other one of the two: as long as it has the name, it is waited for. */
  readonly waitsFor?: DBInstance | undefined;
}

/** Passes when the instance has the name and is available; else asks for it and says `not-yet`. The same name again changes nothing. */
async function named(rds: Rds, attempt: Attempt, { region, seen, to, waitsFor }: Naming): Promise<void> {
  const { DBInstanceIdentifier: id = '', PendingModifiedValues: pending } = seen;
  settled(rds, region, seen, attempt);
  const coming = pending?.DBInstanceIdentifier;
  const renaming = `the instance ${id} in ${region} is being renamed to ${coming ?? to}`;
  if (coming !== undefined) throw later(rds, attempt, renaming);
  if (id === to) return;
  if (waitsFor?.DBInstanceIdentifier === to) throw later(rds, attempt, `the name ${to} in ${region} is still that of the other one`);
  await refuseTaken(rds, region, to, seen);
  attempt.save({ asked: true });
  await attempt.current();
  try {
    const call = renameCall(region, id, to);
    await rds.aws.call(region, call.action, call.input, id, attempt);
  } catch (error) {
    // It was taken in between: the next look says by whom.
    if (awsCodeOf(error) !== 'DBInstanceAlreadyExists') throw await whenBusy(rds, { region, id }, error);
  }
  throw later(rds, attempt, renaming);
}

async function refuseTaken(rds: Rds, region: string, to: string, { DbiResourceId: own }: DBInstance): Promise<void> {
  const holder = await instanceOf(rds, region, to);
  if (!holder || holder.DbiResourceId === own) return;
  const facts = { id: to, region, resource: holder.DbiResourceId ?? '' };
  throw new Failure(
    'foreign-object',
    `there is an instance ${to} in ${region} already, which is not of this run; it stays as it is`,
    facts,
  );
}

const looking = z.object({ asked: z.boolean(), since: z.number().optional() });

/**
 * `not-yet` for as long as the grace of AWS lasts: a rename whose answer was lost may still begin, unless this undo has seen one; and
 * `even` then what cannot be seen between two names may still appear.
 */
function lookLonger({ pace }: Rds, attempt: Attempt, what: string, even: 'asked' | null = null): void {
  const { asked, since = Date.now() } = looking.safeParse(attempt.checkpoint).data ?? { asked: false };
  if (asked && even === null) return;
  attempt.save({ asked, since });
  if (Date.now() - since < pace.graceMs) throw notYet(what, pace.lookAgainMs);
}
