import type { DBInstance } from '@aws-sdk/client-rds';
import { Failure, notYet } from '../../../domain/failure.ts';
import { tagOf } from '../../../domain/run.ts';
import type { Attempt } from '../../attempt.ts';
import type { BackupFacts } from '../backup-facts.ts';
import { regionOf } from './commands.ts';
import { instanceOf, instancesBy, stateOf, unseen, type Rds } from './look.ts';
import { bearsRun, ownName } from './own.ts';

/** The very instance of the facts, which a run that swaps has perhaps renamed; undefined when there is none of that name. */
export async function sourceInstance(rds: Rds, { binding: { source, swap } }: BackupFacts): Promise<DBInstance | undefined> {
  if (!swap) return await instanceOf(rds, source.region, source.id);
  return (await instancesBy(rds, source.region, { by: 'dbi-resource-id', values: [source.resource] }))[0];
}

interface Restoring {
  readonly run: string;
  readonly region: string;
  readonly source: { readonly id: string; readonly resource: string };
  /** Whether the run may have given it the source's name. */
  readonly swaps: boolean;
}

/**
 * What a run has restored, under the run's own name or under that of its source, both in one look, since between two it might be
 * renamed. The source bears the run's tags too once it is put aside: its identity keeps them apart. What has the run's own name is
 * told whosever it is.
 */
export async function restoredBy(rds: Rds, { run, region, source, swaps }: Restoring): Promise<DBInstance | undefined> {
  const own = ownName(tagOf(run));
  if (!swaps) return await instanceOf(rds, region, own);
  const found = await instancesBy(rds, region, { by: 'db-instance-id', values: [own, source.id] });
  const swapped = (one: DBInstance): boolean =>
    one.DBInstanceIdentifier === source.id && one.DbiResourceId !== source.resource && bearsRun(one.TagList, run);
  return found.find((one) => one.DBInstanceIdentifier === own) ?? found.find(swapped);
}

/** The same by the facts. */
export async function restoredInstance(rds: Rds, facts: BackupFacts, run: string): Promise<DBInstance | undefined> {
  const { source, swap } = facts.binding;
  return await restoredBy(rds, { run, region: regionOf(facts), source, swaps: swap !== undefined });
}

/** This run's own instance. Raises `not-yet` while AWS does not tell of it yet, `drift` when it is gone, `foreign-object` when it is not the run's. */
export async function ownInstance(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<DBInstance> {
  const region = regionOf(facts);
  const id = ownName(attempt.tag);
  const seen = await restoredInstance(rds, facts, attempt.run);
  if (!seen) throw unseen(rds, attempt, `the instance ${id} in ${region}`);
  if (!bearsRun(seen.TagList, attempt.run)) {
    throw new Failure('foreign-object', `the instance ${id} in ${region} does not carry the tag of this run`, { id, region });
  }
  return seen;
}

/** Passes when it is available, with the main user's password in force; else says what it waits for, or why it need not. */
export function settled(rds: Rds, region: string, seen: DBInstance, attempt: Attempt): void {
  const { DBInstanceIdentifier: id = '', DBInstanceStatus: status = 'unknown' } = seen;
  const state = stateOf(status);
  // For a while after it was asked for nothing else tells of it.
  const passwordPending = seen.PendingModifiedValues?.MasterUserPassword !== undefined;
  if (state === 'ready' && !passwordPending) return;
  const summary = `the instance ${id} in ${region} is ${status}${passwordPending ? ', and its new main password not in force yet' : ''}`;
  if (state === 'broken') throw new Failure('provider-refused', `${summary}, which does not pass by itself`, { id, region, status });
  throw later(rds, attempt, summary);
}

/** `not-yet`, and people are shown why. */
export function later({ pace }: Rds, attempt: Attempt, summary: string): Failure {
  attempt.progress({ summary });
  return notYet(summary, pace.lookAgainMs);
}
