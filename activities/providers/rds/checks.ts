import type { DBInstance, DBSnapshot } from '@aws-sdk/client-rds';
import { against, type FactFinding } from '../../../domain/finding.ts';
import type { RdsEntry } from '../../../domain/rds-entry.ts';
import { tagOf } from '../../../domain/run.ts';
import { reportAll } from '../../engine/gather-findings.ts';
import type { BackupFacts, BackupOrder, Settings } from '../backup-facts.ts';
import { engineVersion, parameterGroup, quarantineParameters, quotas, subnetGroup, usableKey } from './kit.ts';
import { instanceOf, snapshotFrom, snapshotOf, type Rds } from './look.ts';
import { bearsRun, oldName, ownName } from './own.ts';

/** What the checks look at. */
export interface Look {
  readonly rds: Rds;
  readonly entry: RdsEntry;
  readonly order: BackupOrder;
  readonly source: DBInstance;
}

/** Each by its name. */
export type Checks = (readonly [string, Promise<FactFinding[]>])[];

/** Where a restored instance stands, and what it differs in from its source. */
export interface Place {
  readonly region: string;
  readonly settings: Settings;
}

export function restoreChecks({ rds, order, source }: Look, { region, settings }: Place): Checks {
  const version = source.EngineVersion ?? '';
  const [group, subnets] = [String(settings['DBParameterGroupName']), settings['DBSubnetGroupName']];
  return [
    ['parameter group', parameterGroup(rds, region, group, version)],
    ['quarantine', quarantineParameters(rds, region, group)],
    ...(subnets === null ? [] : [['subnet group', subnetGroup(rds, region, String(subnets))] as const]),
    ['engine version', engineVersion(rds, region, version)],
    ['quota', quotas(rds, region, { DBInstances: 1, AllocatedStorage: source.AllocatedStorage ?? 0 })],
    ['name', nameFree(rds, order, 'an instance', region)],
  ];
}

export function snapshotChecks(look: Look, id: string, seen: DBSnapshot | undefined): Checks {
  return [['snapshot', Promise.resolve(snapshotFits(look, id, seen))]];
}

/** Whole, and of the source: of this very instance, whatever it was called then, or of one that had its name. */
function snapshotFits({ entry: { region, instance }, source }: Look, id: string, seen: DBSnapshot | undefined): FactFinding[] {
  const other = 'Name a whole snapshot of this instance: aws rds describe-db-snapshots lists them.';
  const wrong = (evidence: string): FactFinding[] => [against('snapshot', evidence, other)];
  if (!seen) return wrong(`there is no snapshot "${id}" in ${region}`);
  if (seen.Status !== 'available') return wrong(`the snapshot "${id}" in ${region} is ${seen.Status ?? 'not whole'}`);
  const { of, resource } = originOf(region, seen);
  const own = source.DbiResourceId ?? '';
  if (of === instance || (resource !== '' && resource === own)) return [];
  return wrong(`the snapshot "${id}" in ${region} is of ${of} (${resource}), not of ${instance} (${own})`);
}

export function originOf(region: string, snapshot: DBSnapshot): NonNullable<BackupFacts['observed']['snapshot']> {
  const { DBInstanceIdentifier: of = '', DbiResourceId: resource = '' } = snapshot;
  return { of, resource, takenAt: snapshotFrom(region, snapshot).takenAt };
}

export function ownSnapshotChecks({ rds, order, entry: { region } }: Look): Checks {
  if (order.snapshot !== true && order.copy !== 'new') return [];
  return [
    ['quota', quotas(rds, region, { ManualSnapshots: 1 })],
    ['name', nameFree(rds, order, 'a snapshot', region)],
  ];
}

/** A copy that takes the source's place must be able to: its name for the old one is free, and it stands in the same subnets. */
export function swapChecks(look: Look): Checks {
  if (look.order.keepOldDays === undefined) return [];
  return [
    ['subnet group', Promise.resolve(sameSubnets(look))],
    ['name', oldNameFree(look)],
  ];
}

function sameSubnets({ entry: { instance, quarantine }, source }: Look): FactFinding[] {
  const subnets = source.DBSubnetGroup?.DBSubnetGroupName;
  const other = quarantine?.subnetGroup;
  if (other === undefined || other === subnets) return [];
  const evidence = `the quarantine's subnet group "${other}" is not that of "${instance}" ("${subnets ?? ''}"), and RDS moves no instance between them`;
  const fix = "Leave rds.quarantine.subnetGroup out: a copy that is to switch over must be restored into the source's own.";
  return [against('subnet group', evidence, fix)];
}

async function oldNameFree({ rds, order: { run }, entry: { region, instance } }: Look): Promise<FactFinding[]> {
  if (run === undefined) return [];
  const name = oldName(instance, tagOf(run));
  const seen = await instanceOf(rds, region, name);
  return !seen || bearsRun(seen.TagList, run) ? [] : [taken('an instance', name, region)];
}

export function copyChecks({ rds, order, entry: { dr }, source }: Look): Checks {
  if (order.copy === undefined || !dr) return [];
  return [
    ...kitChecks(rds, dr, source),
    ['quota', quotas(rds, dr.region, { ManualSnapshots: 1 })],
    ['name', nameFree(rds, order, 'a snapshot', dr.region)],
  ];
}

/** What must stand ready in the other region, whoever restores there. */
export async function kit(rds: Rds, dr: NonNullable<RdsEntry['dr']>, source: DBInstance): Promise<FactFinding[]> {
  const found: FactFinding[] = [];
  await reportAll((more) => found.push(...more), kitChecks(rds, dr, source));
  return found;
}

/** Security groups can't be seen by RDS: it names a missing one then. */
function kitChecks(rds: Rds, { region, key, ...dr }: NonNullable<RdsEntry['dr']>, source: DBInstance): Checks {
  const version = source.EngineVersion ?? '';
  return [
    ['key', key === undefined ? Promise.resolve(keyNamed(region, source)) : usableKey(rds, region, key)],
    ['engine version', engineVersion(rds, region, version)],
    ['parameter group', parameterGroup(rds, region, dr.parameterGroup, version)],
    ['subnet group', subnetGroup(rds, region, dr.subnetGroup)],
    ['quota', quotas(rds, region, { DBInstances: 1, AllocatedStorage: source.AllocatedStorage ?? 0 })],
  ];
}

function keyNamed(region: string, source: DBInstance): FactFinding[] {
  if (source.StorageEncrypted !== true) return [];
  return [
    against('key', `the source is encrypted, and the inventory names no key in ${region}`, 'Name one in the inventory (rds.dr.key).'),
  ];
}

export const noOtherRegion = (database: string): FactFinding =>
  against('other region', `the inventory names no other region for ${database} (rds.dr)`, 'Name the region, and what stands ready there.');

/** The name that the run is going to use is not somebody else's. */
async function nameFree(rds: Rds, { run }: BackupOrder, kind: 'an instance' | 'a snapshot', region: string): Promise<FactFinding[]> {
  if (run === undefined) return [];
  const id = ownName(tagOf(run));
  const seen = kind === 'an instance' ? await instanceOf(rds, region, id) : await snapshotOf(rds, region, id);
  return !seen || bearsRun(seen.TagList, run) ? [] : [taken(kind, id, region)];
}

function taken(kind: 'an instance' | 'a snapshot', id: string, region: string): FactFinding {
  const evidence = `there is ${kind} "${id}" in ${region} already, which is not of this run`;
  return against('name', evidence, 'Find out whose it is; rename or remove it.', 'foreign-object');
}

export function outside(database: string, moment: Date, window: { earliest: string; latest: string } | null): FactFinding[] {
  if (!window) {
    const evidence = `${database} keeps no automated backups (their retention is 0 days or none is whole yet), so no moment can be restored`;
    return [against('automated backups', evidence, 'Set their retention at AWS for the next time; until one is whole name a snapshot.')];
  }
  // After the latest it waits; that it is not in the future has been seen.
  if (moment >= new Date(window.earliest)) return [];
  const evidence = `${database} can be restored from ${window.earliest} to ${window.latest}; ${moment.toISOString()} is before that`;
  return [against('moment', evidence, 'Name a moment within it, or a snapshot.', 'input-invalid')];
}
