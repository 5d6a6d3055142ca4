import type { DBInstance, DBSnapshot, DescribeDBSnapshotsMessage } from '@aws-sdk/client-rds';
import { z } from 'zod';
import type { Aws } from '../../aws/aws.ts';
import { Failure, notYet } from '../../../domain/failure.ts';
import type { RdsEntry } from '../../../domain/rds-entry.ts';
import type { Attempt } from '../../attempt.ts';
import type { Servers } from '../../postgres/session.ts';
import type { Snapshot } from '../provider.ts';
import { runOf, tagsOf } from './own.ts';

/** What every verb is made of. */
export interface Rds {
  readonly servers: Pick<Servers, 'entry' | 'secret'>;
  readonly aws: Aws;
  readonly pace: Pace;
}

export interface Pace {
  /** Milliseconds between two looks of a wait. */
  readonly lookAgainMs: number;
  /** Milliseconds for which what was just asked for may still not be seen. */
  readonly graceMs: number;
}

export function entryOf({ servers }: Rds, database: string): RdsEntry {
  const { provider, rds } = servers.entry(database);
  if (!rds) throw new Failure('internal', `${database} is not run by RDS but by ${provider}`);
  return rds;
}

/** AWS's own name for the error behind a failure. */
export function awsCodeOf(error: unknown): string {
  const code = error instanceof Failure ? error.facts['awsCode'] : undefined;
  return typeof code === 'string' ? code : '';
}

export async function instanceOf({ aws }: Rds, region: string, id: string): Promise<DBInstance | undefined> {
  try {
    return (await aws.call(region, 'rds:DescribeDBInstances', { DBInstanceIdentifier: id }, id)).DBInstances?.[0];
  } catch (error) {
    if (awsCodeOf(error) === 'DBInstanceNotFound') return undefined;
    throw error;
  }
}

/** All that pass a filter of AWS's, in one look: by their names, or by AWS's own identity of them. */
export async function instancesBy(
  { aws }: Rds,
  region: string,
  filter: { readonly by: 'db-instance-id' | 'dbi-resource-id'; readonly values: readonly string[] },
): Promise<DBInstance[]> {
  const input = { Filters: [{ Name: filter.by, Values: [...filter.values] }] };
  try {
    return (await aws.call(region, 'rds:DescribeDBInstances', input, filter.values.join(', '))).DBInstances ?? [];
  } catch (error) {
    if (awsCodeOf(error) === 'DBInstanceNotFound') return [];
    throw error;
  }
}

export async function snapshotOf({ aws }: Rds, region: string, id: string): Promise<DBSnapshot | undefined> {
  try {
    return (await aws.call(region, 'rds:DescribeDBSnapshots', { DBSnapshotIdentifier: id }, id)).DBSnapshots?.[0];
  } catch (error) {
    if (awsCodeOf(error) === 'DBSnapshotNotFound') return undefined;
    throw error;
  }
}

/** All pages of those that fit. */
export async function snapshotsIn({ aws }: Rds, region: string, fit: DescribeDBSnapshotsMessage): Promise<DBSnapshot[]> {
  const found: DBSnapshot[] = [];
  let marker: string | undefined;
  do {
    const page = await aws.call(region, 'rds:DescribeDBSnapshots', { ...fit, ...(marker === undefined ? {} : { Marker: marker }) });
    found.push(...(page.DBSnapshots ?? []));
    marker = page.Marker;
  } while (marker !== undefined && marker !== '');
  return found;
}

const looking = z.looseObject({ missingSince: z.number().optional() });

/** What to say of a thing that this run has made and that is not seen: `not-yet` for the grace of AWS, then `drift`. */
export function unseen({ pace }: Rds, attempt: Attempt, what: string): Failure {
  const { missingSince = Date.now(), ...rest } = looking.safeParse(attempt.checkpoint).data ?? {};
  attempt.save({ ...rest, missingSince });
  if (Date.now() - missingSince >= pace.graceMs)
    return new Failure('drift', `${what} is gone: this run has made it, and somebody has removed it`);
  const summary = `${what} cannot be seen yet`;
  attempt.progress({ summary });
  return notYet(summary, pace.lookAgainMs);
}

const gibibyte = 1_073_741_824;

export const bytesOf = (gibibytes: number | undefined): number => (gibibytes ?? 0) * gibibyte;

export function snapshotFrom(region: string, one: DBSnapshot): Snapshot {
  return {
    id: one.DBSnapshotIdentifier ?? '',
    arn: one.DBSnapshotArn ?? '',
    region,
    status: one.Status ?? 'unknown',
    automated: one.SnapshotType === 'automated',
    // SnapshotCreateTime is another one on a copy.
    takenAt: (one.OriginalSnapshotCreateTime ?? one.SnapshotCreateTime)?.toISOString() ?? null,
    bytes: bytesOf(one.AllocatedStorage),
    encryptedWith: one.KmsKeyId ?? null,
    run: runOf(one.TagList),
    tags: tagsOf(one.TagList),
  };
}

const broken = /^(?:failed|incompatible-.*|storage-full|inaccessible-encryption-credentials.*|restore-error|stopp(?:ed|ing))$/;
const ready = new Set(['available', 'storage-optimization', 'storage-config-upgrade']);

/** `busy` goes by itself, `broken` does not. */
export function stateOf(status: string | undefined): 'ready' | 'busy' | 'broken' {
  if (status !== undefined && ready.has(status)) return 'ready';
  return status !== undefined && broken.test(status) ? 'broken' : 'busy';
}
