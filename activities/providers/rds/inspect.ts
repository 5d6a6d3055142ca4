import type { DBInstance, DBSnapshot } from '@aws-sdk/client-rds';
import { Failure } from '../../../domain/failure.ts';
import type { RdsEntry } from '../../../domain/rds-entry.ts';
import { tagOf } from '../../../domain/run.ts';
import type { Snapshot } from '../provider.ts';
import type { CopyFacts, BackupFacts, BackupOrder, Settings, SwapFacts } from '../backup-facts.ts';
import { restoredBy } from './both-instances.ts';
import { notCarried } from './instance-fields.ts';
import { engineVersion, parameterGroup, quarantineParameters, quotas, refuse, subnetGroup, usableKey, type Finding } from './kit.ts';
import { bytesOf, entryOf, instanceOf, snapshotFrom, snapshotOf, stateOf, type Rds } from './look.ts';
import { momentOf } from './moment.ts';
import { bearsRun, isOwnTag, oldName, ownName } from './own.ts';
import { copiesUnderWay } from './room.ts';
import { readSettings } from './settings.ts';
import { listBackups } from './snapshots.ts';
import { windowOf } from './window.ts';

interface Look {
  readonly rds: Rds;
  readonly entry: RdsEntry;
  readonly order: BackupOrder;
  readonly source: DBInstance;
}

/** All at once, since a person waits for it: every look that the order needs, every finding told together. */
export async function inspect(rds: Rds, order: BackupOrder): Promise<BackupFacts> {
  const { database, from } = order;
  const entry = entryOf(rds, database);
  const moment = from?.kind === 'moment' ? momentOf(from.at, new Date()) : null;
  const source = await sourceOf(rds, order, entry);
  const look: Look = { rds, entry, order, source };
  const copy = await madeBy(look);
  const made = copy !== undefined;
  const snapshot = from?.kind === 'snapshot' ? await snapshotOf(rds, entry.region, from.id) : undefined;
  const [window, copied, copiesNow, ...findings] = await Promise.all([
    windowOf(rds, entry.region, source),
    copiedOf(look),
    order.copy !== undefined && entry.dr ? copiesUnderWay(rds, entry.dr.region, order.run) : null,
    made ? [] : restoreFindings(look, snapshot),
    copyFindings(look),
    snapshotFindings(look),
    swapFindings(look),
  ]);
  refuse(database, findings.flat());
  if (moment && !made) refuseOutside(database, moment, window);
  return {
    binding: {
      provider: 'rds',
      database,
      source: sourceFacts(look),
      restore: from ? { from: moment ? { kind: 'moment', at: moment.toISOString() } : from, region: placeOf(look).region } : null,
      copy: copied?.facts ?? null,
      ...(order.keepOldDays === undefined ? {} : { swap: swapFacts(look, order.keepOldDays, copy) }),
      settings: readSettings(source),
      quarantine: from ? placeOf(look).settings : {},
    },
    observed: {
      bytes: bytesOf(source.AllocatedStorage),
      window,
      takenAt: copied?.takenAt ?? null,
      ...(snapshot ? { snapshot: originOf(entry.region, snapshot) } : {}),
      ...(copiesNow ? { copiesUnderWay: copiesNow } : {}),
    },
  };
}

async function sourceOf(rds: Rds, order: BackupOrder, { region, instance }: RdsEntry): Promise<DBInstance> {
  const { database } = order;
  const seen = (await putAside(rds, order, region, instance)) ?? (await instanceOf(rds, region, instance));
  const impossible = (why: string): Failure => new Failure('plan-impossible', `${database}: ${why}`, { database, region, instance });
  if (!seen) throw impossible(`there is no instance "${instance}" in ${region}; correct the inventory`);
  if (seen.Engine !== 'postgres') throw impossible(`the instance "${instance}" runs ${seen.Engine ?? 'another engine'}, not postgres`);
  if (stateOf(seen.DBInstanceStatus) === 'broken') {
    throw impossible(`the instance "${instance}" is ${seen.DBInstanceStatus ?? 'broken'}, which does not pass by itself`);
  }
  return seen;
}

/** What this run itself has put aside is the source still: the name is another one's by now. */
async function putAside(rds: Rds, { run, keepOldDays }: BackupOrder, region: string, instance: string): Promise<DBInstance | undefined> {
  if (run === undefined || keepOldDays === undefined) return undefined;
  const seen = await instanceOf(rds, region, oldName(instance, tagOf(run)));
  return seen && bearsRun(seen.TagList, run) ? seen : undefined;
}

const arnWithName = (arn: string, name: string): string => arn.slice(0, arn.lastIndexOf(':') + 1) + name;

function sourceFacts({ rds, entry: { region, instance }, order, source }: Look): BackupFacts['binding']['source'] {
  const { server } = rds.servers.entry(order.database);
  return {
    id: instance,
    arn: arnWithName(source.DBInstanceArn ?? '', instance),
    resource: source.DbiResourceId ?? '',
    region,
    engine: source.Engine ?? '',
    version: source.EngineVersion ?? '',
    encrypted: source.StorageEncrypted ?? false,
    asMainUser: server.user === source.MasterUsername && server.secret !== undefined && !source.MasterUserSecret,
  };
}

/** Where a restored instance stands, and what it differs in from its source. */
function placeOf({ entry, order, source }: Pick<Look, 'entry' | 'order' | 'source'>): { region: string; settings: Settings } {
  const { dr, region } = entry;
  const abroad = order.from?.kind === 'own-copy';
  if (abroad && !dr) throw new Failure('plan-impossible', `${order.database}: the inventory names no other region (rds.dr)`);
  const quarantine = abroad ? dr?.quarantine : entry.quarantine;
  if (!quarantine)
    throw new Failure('plan-impossible', `${order.database}: the inventory names no quarantine for restored instances (rds.quarantine)`);
  const subnet = quarantine.subnetGroup ?? (abroad ? dr?.subnetGroup : source.DBSubnetGroup?.DBSubnetGroupName);
  return {
    region: abroad ? (dr?.region ?? region) : region,
    settings: {
      DBParameterGroupName: quarantine.parameterGroup,
      VpcSecurityGroupIds: quarantine.securityGroups.toSorted(),
      DBSubnetGroupName: subnet ?? null,
      DeletionProtection: false,
      PubliclyAccessible: false,
      // These are of one region, or of its subnets.
      ...(abroad ? { OptionGroupName: null, PerformanceInsightsKMSKeyId: null, NetworkType: null } : {}),
    },
  };
}

/** What this run has restored already needs nothing more: neither room for another one, nor a window that goes on. */
async function madeBy(look: Look): Promise<DBInstance | undefined> {
  const { rds, order } = look;
  if (order.run === undefined || !order.from) return undefined;
  const { run, keepOldDays } = order;
  const of = { id: look.entry.instance, resource: look.source.DbiResourceId ?? '' };
  const seen = await restoredBy(rds, { run, region: placeOf(look).region, source: of, swaps: keepOldDays !== undefined });
  return seen && bearsRun(seen.TagList, order.run) ? seen : undefined;
}

/** What does not come along is known when the copy answers: before that AWS may still set it by itself. */
function swapFacts({ source }: Look, keepOldDays: number, copy: DBInstance | undefined): SwapFacts {
  const replicas = (source.ReadReplicaDBInstanceIdentifiers ?? []).toSorted();
  const lost = copy !== undefined && stateOf(copy.DBInstanceStatus) === 'ready' ? notCarried(source, copy) : [];
  return { keepOldDays, replicas, ...(lost.length === 0 ? {} : { notCarried: lost }) };
}

async function restoreFindings(look: Look, snapshot: DBSnapshot | undefined): Promise<Finding[]> {
  const { rds, order, source } = look;
  const { from } = order;
  if (!from) return [];
  const { region, settings } = placeOf(look);
  const version = source.EngineVersion ?? '';
  const group = String(settings['DBParameterGroupName']);
  const found = await Promise.all([
    parameterGroup(rds, region, group, version),
    quarantineParameters(rds, region, group),
    settings['DBSubnetGroupName'] === null ? [] : subnetGroup(rds, region, String(settings['DBSubnetGroupName'])),
    engineVersion(rds, region, version),
    quotas(rds, region, { DBInstances: 1, AllocatedStorage: source.AllocatedStorage ?? 0 }),
    nameFree(rds, order, 'an instance', region),
  ]);
  return [...found.flat(), ...(from.kind === 'snapshot' ? snapshotFits(look, from.id, snapshot) : [])];
}

/** Whole, and of the source: of this very instance, whatever it was called then, or of one that had its name. */
function snapshotFits({ entry: { region, instance }, source }: Look, id: string, seen: DBSnapshot | undefined): Finding[] {
  const impossible = (text: string): Finding[] => [{ code: 'plan-impossible', text }];
  if (!seen) return impossible(`there is no snapshot "${id}" in ${region}`);
  if (seen.Status !== 'available') return impossible(`the snapshot "${id}" in ${region} is ${seen.Status ?? 'not whole'}`);
  const { of, resource } = originOf(region, seen);
  const own = source.DbiResourceId ?? '';
  if (of === instance || (resource !== '' && resource === own)) return [];
  return impossible(`the snapshot "${id}" in ${region} is of ${of} (${resource}), not of ${instance} (${own})`);
}

function originOf(region: string, snapshot: DBSnapshot): NonNullable<BackupFacts['observed']['snapshot']> {
  const { DBInstanceIdentifier: of = '', DbiResourceId: resource = '' } = snapshot;
  return { of, resource, takenAt: snapshotFrom(region, snapshot).takenAt };
}

async function snapshotFindings({ rds, order, entry }: Look): Promise<Finding[]> {
  if (order.snapshot !== true && order.copy !== 'new') return [];
  const found = await Promise.all([quotas(rds, entry.region, { ManualSnapshots: 1 }), nameFree(rds, order, 'a snapshot', entry.region)]);
  return found.flat();
}

/** A copy that takes the source's place must be able to: its name for the old one is free, and it stands in the same subnets. */
async function swapFindings({ rds, order, entry: { region, instance, quarantine }, source }: Look): Promise<Finding[]> {
  if (order.keepOldDays === undefined) return [];
  const subnets = source.DBSubnetGroup?.DBSubnetGroupName;
  const other = quarantine?.subnetGroup;
  const moved: Finding[] =
    other === undefined || other === subnets
      ? []
      : [
          {
            code: 'plan-impossible',
            text: `the quarantine's subnet group "${other}" is not that of "${instance}" ("${subnets ?? ''}"), and RDS moves no instance between them: a copy that is to switch over must be restored into the source's own (rds.quarantine without subnetGroup)`,
          },
        ];
  if (order.run === undefined) return moved;
  const name = oldName(instance, tagOf(order.run));
  const seen = await instanceOf(rds, region, name);
  if (!seen || bearsRun(seen.TagList, order.run)) return moved;
  return [...moved, { code: 'foreign-object', text: `there is an instance "${name}" in ${region} already, which is not of this run` }];
}

async function copyFindings({ rds, order, entry, source }: Look): Promise<Finding[]> {
  if (order.copy === undefined || !entry.dr) return [];
  const found = await Promise.all([
    kit(rds, entry.dr, source),
    quotas(rds, entry.dr.region, { ManualSnapshots: 1 }),
    nameFree(rds, order, 'a snapshot', entry.dr.region),
  ]);
  return found.flat();
}

/** What must stand ready in the other region, whoever restores there. Security groups can't be seen by RDS: it names a missing one then. */
export async function kit(rds: Rds, dr: NonNullable<RdsEntry['dr']>, source: DBInstance): Promise<Finding[]> {
  const version = source.EngineVersion ?? '';
  const needsKey = source.StorageEncrypted === true && dr.key === undefined;
  const unnamed: Finding[] = needsKey
    ? [{ code: 'plan-impossible', text: `the source is encrypted, and the inventory names no key in ${dr.region}` }]
    : [];
  const found = await Promise.all([
    dr.key === undefined ? unnamed : usableKey(rds, dr.region, dr.key),
    engineVersion(rds, dr.region, version),
    parameterGroup(rds, dr.region, dr.parameterGroup, version),
    subnetGroup(rds, dr.region, dr.subnetGroup),
    quotas(rds, dr.region, { DBInstances: 1, AllocatedStorage: source.AllocatedStorage ?? 0 }),
  ]);
  return found.flat();
}

async function copiedOf(look: Look): Promise<{ facts: CopyFacts; takenAt: string | null } | null> {
  const { order, entry, rds } = look;
  if (order.copy === undefined) return null;
  const { dr } = entry;
  if (!dr) throw new Failure('plan-impossible', `${order.database}: the inventory names no other region (rds.dr)`);
  const base = { region: dr.region, key: dr.key ?? null };
  if (order.copy === 'new') return { facts: { ...base, snapshot: null, tags: tagsOfSource(look.source) }, takenAt: null };
  const chosen = order.copy === 'newest' ? await newest(look) : await named(rds, order.database, entry.region, order.copy.id);
  return { facts: { ...base, snapshot: chosen.arn, tags: ownTagsLeftOut(chosen) }, takenAt: chosen.takenAt };
}

/** What the snapshot that this run makes is going to carry beside its own tags. */
function tagsOfSource(source: DBInstance): readonly string[] {
  const tags = readSettings(source)['Tags'];
  return Array.isArray(tags) ? tags : [];
}

async function newest({ rds, order }: Look): Promise<Snapshot> {
  const found = (await listBackups(rds, order.database)).find((one) => one.automated && one.status === 'available');
  if (found) return found;
  throw new Failure(
    'plan-impossible',
    `${order.database} has no automated snapshot of the instance in use to copy; ask for a new one (snapshot=new)`,
    {
      database: order.database,
    },
  );
}

async function named(rds: Rds, database: string, region: string, id: string): Promise<Snapshot> {
  const seen = await snapshotOf(rds, region, id);
  if (seen?.Status === 'available') return snapshotFrom(region, seen);
  throw new Failure('plan-impossible', `${database}: there is no snapshot "${id}" in ${region} that is available`, { database });
}

const ownTagsLeftOut = ({ tags }: Snapshot): string[] =>
  Object.entries(tags)
    .filter(([name]) => !name.startsWith('aws:') && !isOwnTag(name))
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();

/** The name that the run is going to use is not somebody else's. */
async function nameFree(rds: Rds, { run }: BackupOrder, kind: 'an instance' | 'a snapshot', region: string): Promise<Finding[]> {
  if (run === undefined) return [];
  const id = ownName(tagOf(run));
  const seen = kind === 'an instance' ? await instanceOf(rds, region, id) : await snapshotOf(rds, region, id);
  if (!seen || bearsRun(seen.TagList, run)) return [];
  return [{ code: 'foreign-object', text: `there is ${kind} "${id}" in ${region} already, which is not of this run` }];
}

function refuseOutside(database: string, moment: Date, window: { earliest: string; latest: string } | null): void {
  if (!window) {
    throw new Failure(
      'plan-impossible',
      `${database} keeps no automated backups (their retention is 0 days or none is whole yet), so no moment can be restored`,
      { database },
    );
  }
  // After the latest it waits; that it is not in the future has been seen.
  if (moment >= new Date(window.earliest)) return;
  throw new Failure(
    'input-invalid',
    `${database} can be restored from ${window.earliest} to ${window.latest}; ${moment.toISOString()} is before that`,
    {
      database,
      ...window,
    },
  );
}
