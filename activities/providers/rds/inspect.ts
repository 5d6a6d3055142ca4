import type { DBInstance } from '@aws-sdk/client-rds';
import { against, type FactFinding } from '../../../domain/finding.ts';
import type { RdsEntry } from '../../../domain/rds-entry.ts';
import { tagOf } from '../../../domain/run.ts';
import { FactsMissing, orReport, reportAll, takeFacts, type Report } from '../../engine/gather-findings.ts';
import type { Snapshot } from '../provider.ts';
import type { CopyFacts, BackupFacts, BackupOrder, SwapFacts } from '../backup-facts.ts';
import { restoredBy } from './both-instances.ts';
import {
  copyChecks,
  noOtherRegion,
  originOf,
  outside,
  ownSnapshotChecks,
  restoreChecks,
  snapshotChecks,
  swapChecks,
  type Look,
  type Place,
} from './checks.ts';
import { notCarried } from './instance-fields.ts';
import { bytesOf, entryOf, instanceOf, snapshotFrom, snapshotOf, stateOf, type Rds } from './look.ts';
import { momentOf } from './moment.ts';
import { bearsRun, isOwnTag, oldName } from './own.ts';
import { copiesUnderWay } from './room.ts';
import { readSettings } from './settings.ts';
import { listBackups } from './snapshots.ts';
import { windowOf } from './window.ts';

/** All at once, since a person waits for it: every look that the order needs, every finding reported. */
export async function inspect(rds: Rds, order: BackupOrder, report?: Report): Promise<BackupFacts> {
  return await takeFacts(async (found) => await inspected(rds, order, found), report);
}

async function inspected(rds: Rds, order: BackupOrder, report: Report): Promise<BackupFacts> {
  const { database, from } = order;
  const entry = entryOf(rds, database);
  const moment = from?.kind === 'moment' ? await orReport(report, 'moment', () => momentOf(from.at, new Date())) : null;
  const source = await sourceOf(rds, order, entry, report);
  const look: Look = { rds, entry, order, source };
  const place = from ? placeOf(look, report) : null;
  const copy = place ? await madeBy(look, place) : undefined;
  const made = copy !== undefined;
  const snapshot = from?.kind === 'snapshot' ? await snapshotOf(rds, entry.region, from.id) : undefined;
  const [window, copied, copiesNow] = await Promise.all([
    windowOf(rds, entry.region, source),
    copiedOf(look, report),
    order.copy !== undefined && entry.dr ? copiesUnderWay(rds, entry.dr.region, order.run) : null,
    reportAll(report, [
      ...(place && !made ? restoreChecks(look, place) : []),
      ...(from?.kind === 'snapshot' && !made ? snapshotChecks(look, from.id, snapshot) : []),
      ...copyChecks(look),
      ...ownSnapshotChecks(look),
      ...swapChecks(look),
    ]),
  ]);
  if (moment && !made) report(outside(database, moment, window));
  if (moment === undefined || place === undefined || copied === undefined) throw new FactsMissing();
  return {
    binding: {
      provider: 'rds',
      database,
      source: sourceFacts(look),
      restore: from && place ? { from: moment ? { kind: 'moment', at: moment.toISOString() } : from, region: place.region } : null,
      copy: copied?.facts ?? null,
      ...(order.keepOldDays === undefined ? {} : { swap: swapFacts(look, order.keepOldDays, copy) }),
      settings: readSettings(source),
      quarantine: place?.settings ?? {},
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

/** Raises `FactsMissing` without an instance of PostgreSQL. */
async function sourceOf(rds: Rds, order: BackupOrder, { region, instance }: RdsEntry, report: Report): Promise<DBInstance> {
  const seen = (await putAside(rds, order, region, instance)) ?? (await instanceOf(rds, region, instance));
  const says = (evidence: string, fix: string): void => report([against('instance', evidence, fix)]);
  if (seen?.Engine !== 'postgres') {
    const correct = `Correct the inventory: rds.instance of ${order.database}, or its region.`;
    if (!seen) says(`there is no instance "${instance}" in ${region}`, correct);
    else says(`the instance "${instance}" runs ${seen.Engine ?? 'another engine'}, not postgres`, correct);
    throw new FactsMissing();
  }
  if (stateOf(seen.DBInstanceStatus) === 'broken') {
    const evidence = `the instance "${instance}" is ${seen.DBInstanceStatus ?? 'broken'}, which does not pass by itself`;
    says(evidence, 'Start it or repair it at AWS, then ask again.');
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

/** Undefined when the inventory does not name it. */
function placeOf({ entry, order, source }: Look, report: Report): Place | undefined {
  const { dr, region } = entry;
  const abroad = order.from?.kind === 'own-copy';
  // That it is missing is reported with the copy.
  if (abroad && !dr) return undefined;
  const quarantine = abroad ? dr?.quarantine : entry.quarantine;
  if (!quarantine) {
    const field = abroad ? 'rds.dr.quarantine' : 'rds.quarantine';
    const evidence = `the inventory names no quarantine for restored instances of ${order.database} (${field})`;
    report([against('quarantine', evidence, 'Name its parameter group and security groups there.')]);
    return undefined;
  }
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
async function madeBy({ rds, entry, order, source }: Look, { region }: Place): Promise<DBInstance | undefined> {
  const { run, keepOldDays } = order;
  if (run === undefined) return undefined;
  const of = { id: entry.instance, resource: source.DbiResourceId ?? '' };
  const seen = await restoredBy(rds, { run, region, source: of, swaps: keepOldDays !== undefined });
  return seen && bearsRun(seen.TagList, run) ? seen : undefined;
}

/** What does not come along is known when the copy answers: before that AWS may still set it by itself. */
function swapFacts({ source }: Look, keepOldDays: number, copy: DBInstance | undefined): SwapFacts {
  const replicas = (source.ReadReplicaDBInstanceIdentifiers ?? []).toSorted();
  const lost = copy !== undefined && stateOf(copy.DBInstanceStatus) === 'ready' ? notCarried(source, copy) : [];
  return { keepOldDays, replicas, ...(lost.length === 0 ? {} : { notCarried: lost }) };
}

/** Undefined when there is nothing to copy, or nowhere to copy it to. */
async function copiedOf(look: Look, report: Report): Promise<{ facts: CopyFacts; takenAt: string | null } | null | undefined> {
  const { order, entry } = look;
  if (order.copy === undefined) return null;
  const { dr } = entry;
  if (!dr) report([noOtherRegion(order.database)]);
  const chosen = order.copy === 'new' ? null : await chosenOf(look, order.copy);
  if (chosen && 'check' in chosen) report([chosen]);
  if (!dr || (chosen && 'check' in chosen)) return undefined;
  const base = { region: dr.region, key: dr.key ?? null };
  if (chosen === null) return { facts: { ...base, snapshot: null, tags: tagsOfSource(look.source) }, takenAt: null };
  return { facts: { ...base, snapshot: chosen.arn, tags: ownTagsLeftOut(chosen) }, takenAt: chosen.takenAt };
}

/** What the snapshot that this run makes is going to carry beside its own tags. */
function tagsOfSource(source: DBInstance): readonly string[] {
  const tags = readSettings(source)['Tags'];
  return Array.isArray(tags) ? tags : [];
}

/** The snapshot that is copied, or why there is none. */
async function chosenOf(
  { rds, order, entry: { region } }: Look,
  copy: 'newest' | { readonly id: string },
): Promise<Snapshot | FactFinding> {
  if (copy === 'newest') {
    const found = (await listBackups(rds, order.database)).find((one) => one.automated && one.status === 'available');
    const evidence = `${order.database} has no automated snapshot of the instance in use to copy`;
    return found ?? against('snapshot', evidence, 'Ask for a new one: snapshot=new.');
  }
  const seen = await snapshotOf(rds, region, copy.id);
  if (seen?.Status === 'available') return snapshotFrom(region, seen);
  return against('snapshot', `there is no snapshot "${copy.id}" in ${region} that is available`, 'Name another one.');
}

const ownTagsLeftOut = ({ tags }: Snapshot): string[] =>
  Object.entries(tags)
    .filter(([name]) => !name.startsWith('aws:') && !isOwnTag(name))
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
