import { AwsError } from '../aws-error.ts';
import type { Call, Place } from '../place.ts';
import type { Instance, RdsRegion, Snapshot } from './model.ts';

export type RdsKind = 'db' | 'snapshot' | 'pg' | 'og' | 'subgrp' | 'auto-backup';

export function arn(place: Place, region: string, kind: RdsKind, name: string): string {
  return `arn:aws:rds:${region}:${place.state.account}:${kind}:${name}`;
}

/** The parts of an ARN of RDS; a name alone is one of the call's own region. */
export function parseArn(call: Call, kind: RdsKind, text: string): { region: string; name: string } {
  if (!text.startsWith('arn:')) return { region: call.region, name: text.toLowerCase() };
  const [, , service, region, account, found, ...name] = text.split(':');
  if (service !== 'rds' || found !== kind || account !== call.place.state.account || region === undefined || name.length === 0)
    throw new AwsError('InvalidParameterValue', `Invalid resource name: ${text}`);
  return { region, name: name.join(':').toLowerCase() };
}

/** Throws AWS's DBInstanceNotFound. */
export function instanceOf(rds: RdsRegion, id: string): Instance {
  const found = rds.instances[id.toLowerCase()];
  if (!found) throw new AwsError('DBInstanceNotFound', `DBInstance ${id} not found.`, 404);
  return found;
}

/** Also by an instance that is being renamed so. */
export function isTaken({ instances }: RdsRegion, id: string): boolean {
  return instances[id] !== undefined || Object.values(instances).some(({ pending }) => pending.id === id);
}

/** The instance with that resource id; jobs hold on to it through a rename. Throws when it is gone. */
export function instanceBy(rds: RdsRegion, resourceId: string): Instance {
  const found = Object.values(rds.instances).find((one) => one.resourceId === resourceId);
  if (!found) throw new Error(`there is no instance ${resourceId}`);
  return found;
}

/** Throws AWS's DBSnapshotNotFound. */
export function snapshotOf(rds: RdsRegion, id: string): Snapshot {
  const found = rds.snapshots[id.toLowerCase()];
  if (!found) throw new AwsError('DBSnapshotNotFound', `DBSnapshot ${id} not found.`, 404);
  return found;
}

/** A new identifier as AWS accepts it, in lower case. */
export function newIdentifier(parameter: string, text: string, longest = 63): string {
  const valid = /^[a-z](?:[a-z0-9]|-(?!-|$))*$/i.test(text) && text.length <= longest;
  if (!valid)
    throw new AwsError(
      'InvalidParameterValue',
      `The parameter ${parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.`,
    );
  return text.toLowerCase();
}

/** Throws AWS's InvalidDBInstanceState unless the instance is in one of the states. */
export function mustBe(instance: Instance, ...states: readonly string[]): void {
  if (!states.includes(instance.status))
    throw new AwsError('InvalidDBInstanceState', `Instance ${instance.id} is not in ${states[0]} state.`);
}
