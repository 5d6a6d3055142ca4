import type { DBInstance, DBSnapshot } from '@aws-sdk/client-rds';
import { Failure } from '../../../domain/failure.ts';
import type { OwnedLook, OwnedObject } from '../../../domain/leftover.ts';
import { callCommand, type Call } from '../../aws/call.ts';
import { entryOf, type Rds } from './look.ts';
import { isCalledAfter, makerOf, removeAfterOf, runOf, stepOf } from './own.ts';

/** A region is looked at as a whole: RDS can't be asked for a tag, and the region of a copy is no other run's secret. */
export async function listOwned(rds: Rds, database: string): Promise<OwnedLook> {
  const { region, dr } = entryOf(rds, database);
  const regions = [...new Set([region, ...(dr ? [dr.region] : [])])];
  const looks = await Promise.all(
    regions.flatMap((where) => [looked(() => instancesIn(rds, where)), looked(() => snapshotsIn(rds, where))]),
  );
  return { objects: looks.flatMap((one) => one.objects), unseen: looks.flatMap((one) => one.unseen) };
}

async function looked(look: () => Promise<OwnedObject[]>): Promise<OwnedLook> {
  try {
    return { objects: await look(), unseen: [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { objects: [], unseen: [error.message] };
  }
}

async function instancesIn({ aws }: Rds, region: string): Promise<OwnedObject[]> {
  return await paged(async (from) => {
    const { DBInstances = [], Marker } = await aws.call(region, 'rds:DescribeDBInstances', from);
    return { found: DBInstances.flatMap((one) => ownedInstance(region, one)), Marker };
  });
}

type From = { Marker?: string };

async function paged(page: (from: From) => Promise<{ found: OwnedObject[]; Marker: string | undefined }>): Promise<OwnedObject[]> {
  const all: OwnedObject[] = [];
  let from: From = {};
  for (;;) {
    const { found, Marker } = await page(from);
    all.push(...found);
    if (Marker === undefined || Marker === '') return all;
    from = { Marker };
  }
}

function ownedInstance(region: string, one: DBInstance): OwnedObject[] {
  const { DBInstanceIdentifier: name = '', DBInstanceStatus: status = 'unknown', TagList: tags } = one;
  const run = runOf(tags);
  if (run === null) return [];
  return [
    {
      ...{ kind: 'instance', name, region, status, run, step: stepOf(tags), removeAfter: removeAfterOf(tags) },
      identity: one.DBInstanceArn ?? name,
      since: one.InstanceCreateTime?.toISOString() ?? null,
      byHand: callCommand(removalOf(region, name, run)).text,
    },
  ];
}

/** A restored copy has nothing of its own; of whatever else bears the tags a last snapshot stays. */
function removalOf(region: string, name: string, run: string): Call<'rds:DeleteDBInstance'> {
  const input = isCalledAfter(name, run)
    ? { DBInstanceIdentifier: name, SkipFinalSnapshot: true, DeleteAutomatedBackups: true }
    : { DBInstanceIdentifier: name, SkipFinalSnapshot: false, FinalDBSnapshotIdentifier: `${name}-last`, DeleteAutomatedBackups: false };
  return { region, action: 'rds:DeleteDBInstance', input };
}

async function snapshotsIn({ aws }: Rds, region: string): Promise<OwnedObject[]> {
  return await paged(async (from) => {
    const { DBSnapshots = [], Marker } = await aws.call(region, 'rds:DescribeDBSnapshots', { SnapshotType: 'manual', ...from });
    return { found: DBSnapshots.flatMap((one) => ownedSnapshot(region, one)), Marker };
  });
}

/**
 * Only what is called after a run: a snapshot may have inherited the tags of an instance. The last one before a removal has no tags
 * of the run that made it, so its name is what tells.
 */
function ownedSnapshot(region: string, one: DBSnapshot): OwnedObject[] {
  const { DBSnapshotIdentifier: name = '', Status: status = 'unknown', TagList: tags } = one;
  const id = named.exec(name)?.groups?.['id']?.toUpperCase();
  if (id === undefined) return [];
  const maker = makerOf(name, tags);
  return [
    {
      ...{ kind: 'snapshot', name, region, status, run: maker ?? id, step: maker === null ? null : stepOf(tags), removeAfter: null },
      identity: one.DBSnapshotArn ?? name,
      since: one.SnapshotCreateTime?.toISOString() ?? null,
      byHand: callCommand({ region, action: 'rds:DeleteDBSnapshot', input: { DBSnapshotIdentifier: name } }).text,
    },
  ];
}

const named = /^steadyhand-(?<id>[0-9a-hjkmnp-tv-z]{26})(?:-last)?$/;
