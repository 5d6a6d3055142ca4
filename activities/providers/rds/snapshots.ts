import type { DBSnapshot } from '@aws-sdk/client-rds';
import { Failure, notYet } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Observation } from '../../engine/ensure.ts';
import type { Snapshot } from '../provider.ts';
import type { CopyFacts, BackupFacts } from '../backup-facts.ts';
import { copySnapshotCall, createSnapshotCall, deleteSnapshotCall } from './commands.ts';
import { entryOf, instanceOf, snapshotFrom, snapshotOf, snapshotsIn, unseen, type Rds } from './look.ts';
import { foreign, graceOfWait, make } from './make.ts';
import { bearsKey, bearsRun, databaseOf, lastName, makerOf, ownName, ownOf } from './own.ts';
import { whenNoRoom } from './room.ts';
import { takeAway } from './take-away.ts';

export async function createSnapshot(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const { source } = facts.binding;
  const call = () => createSnapshotCall(facts, ownOf(attempt));
  await make(rds, attempt, { call, of: source, observe: () => observed(rds, source.region, source.id, attempt) });
}

export async function copySnapshot(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const { source } = facts.binding;
  const copy = copyOf(facts);
  // The one that this run has made goes when its copy is proved: what is copied already needs it no more.
  const call = async () => copySnapshotCall(facts, ownOf(attempt), copy.snapshot ?? (await ownSnapshotArn(rds, source.region, attempt)));
  try {
    const settleWithin = graceOfWait(rds);
    await make(rds, attempt, { call, of: source, observe: () => observed(rds, copy.region, source.id, attempt), settleWithin });
  } catch (error) {
    throw whenNoRoom(rds, copy.region, attempt, error);
  }
}

async function ownSnapshotArn(rds: Rds, region: string, attempt: Attempt): Promise<string> {
  return (await ownSnapshot(rds, region, attempt)).arn;
}

async function observed(rds: Rds, region: string, source: string, attempt: Attempt): Promise<Observation<void>> {
  const id = ownName(attempt.tag);
  const seen = await snapshotOf(rds, region, id);
  if (!seen) return { state: 'absent' };
  if (!bearsKey(seen.TagList, attempt)) return foreign('a snapshot', { region }, id);
  if (seen.DBInstanceIdentifier === source) return { state: 'there', result: undefined };
  return {
    state: 'drifted',
    what: `the snapshot ${id} in ${region} is one of ${seen.DBInstanceIdentifier ?? 'nothing'}, not of ${source}`,
  };
}

export async function awaitSnapshot(rds: Rds, facts: BackupFacts, where: 'source' | 'copy', attempt: Attempt): Promise<Snapshot> {
  const region = where === 'copy' ? copyOf(facts).region : facts.binding.source.region;
  return whole(rds, await ownSnapshot(rds, region, attempt), attempt);
}

interface SeenSnapshot extends Snapshot {
  readonly percent: number | undefined;
}

function whole(rds: Rds, seen: SeenSnapshot, attempt: Attempt): Snapshot {
  const { id, region, status, percent } = seen;
  if (status === 'available') return seen;
  const summary = `the snapshot ${id} in ${region} is ${status}`;
  if (status === 'failed' || status.startsWith('incompatible')) {
    throw new Failure('provider-refused', `${summary}, which does not pass by itself`, { id, region });
  }
  attempt.progress({ summary, ...(percent === undefined ? {} : { fraction: percent / 100 }) });
  throw notYet(summary, rds.pace.lookAgainMs);
}

/** It bears no tags of this run, since RDS takes none for it: it is known by its name and by what it was taken from. */
export async function awaitLast(rds: Rds, { binding: { source } }: BackupFacts, attempt: Attempt): Promise<Snapshot> {
  const id = lastName(ownName(attempt.tag));
  const seen = await snapshotOf(rds, source.region, id);
  if (!seen) throw unseen(rds, attempt, `the last snapshot ${id} in ${source.region}`);
  if (seen.DBInstanceIdentifier !== source.id) {
    const of = seen.DBInstanceIdentifier ?? 'nothing';
    throw new Failure('foreign-object', `the snapshot ${id} in ${source.region} is one of ${of}, not of ${source.id}`, { id, of });
  }
  return whole(rds, { ...snapshotFrom(source.region, seen), percent: seen.PercentProgress }, attempt);
}

async function ownSnapshot(rds: Rds, region: string, attempt: Attempt): Promise<SeenSnapshot> {
  const id = ownName(attempt.tag);
  const seen = await snapshotOf(rds, region, id);
  if (!seen) throw unseen(rds, attempt, `the snapshot ${id} in ${region}`);
  if (!bearsRun(seen.TagList, attempt.run)) {
    throw new Failure('foreign-object', `the snapshot ${id} in ${region} does not carry the tag of this run`, { id, region });
  }
  return { ...snapshotFrom(region, seen), percent: seen.PercentProgress };
}

/** Newest first; those that are still being made come last. Not those of an instance that was called so before. */
export async function listBackups(rds: Rds, database: string): Promise<Snapshot[]> {
  const { region, instance } = entryOf(rds, database);
  const resource = (await instanceOf(rds, region, instance))?.DbiResourceId;
  return resource === undefined ? [] : newestFirst(region, await snapshotsIn(rds, region, { DbiResourceId: resource }));
}

/** What runs have copied for this database, by the tags that only a copy gets, and by its name; whatever else is there is not theirs. */
export async function listCopies(rds: Rds, database: string): Promise<Snapshot[]> {
  const { dr } = entryOf(rds, database);
  if (!dr) return [];
  const found = await snapshotsIn(rds, dr.region, { SnapshotType: 'manual' });
  const isCopy = ({ DBSnapshotIdentifier: name = '', TagList: tags }: DBSnapshot): boolean =>
    databaseOf(tags) === database && makerOf(name, tags) !== null;
  return newestFirst(dr.region, found.filter(isCopy));
}

const newestFirst = (region: string, found: readonly DBSnapshot[]): Snapshot[] =>
  found.map((one) => snapshotFrom(region, one)).toSorted((one, other) => (other.takenAt ?? '').localeCompare(one.takenAt ?? ''));

export async function deleteSnapshot(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  await deleteIn(rds, facts.binding.source.region, attempt);
}

export async function deleteCopy(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  await deleteIn(rds, copyOf(facts).region, attempt);
}

async function deleteIn(rds: Rds, region: string, attempt: Attempt): Promise<void> {
  const id = ownName(attempt.tag);
  const what = `the snapshot ${id} in ${region}`;
  await takeAway(rds, attempt, {
    what,
    look: async () => {
      const seen = await snapshotOf(rds, region, id);
      if (seen && !bearsRun(seen.TagList, attempt.run)) {
        throw new Failure('foreign-object', `${what} does not carry the tag of this run; it stays`, { id, region });
      }
      return seen && { identity: seen.DBSnapshotArn ?? '', status: seen.Status ?? '' };
    },
    calls: () => [deleteSnapshotCall(region, ownOf(attempt))],
  });
}

function copyOf({ binding }: BackupFacts): CopyFacts {
  if (!binding.copy) throw new Error('these facts were taken for no copy');
  return binding.copy;
}
