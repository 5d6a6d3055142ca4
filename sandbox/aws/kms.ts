import { randomUUID } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import { textOf, type JsonCall } from './json-call.ts';
import type { Key } from './key.ts';
import type { Place } from './place.ts';

/** A key that is to be there from the beginning. */
export interface KeyWish {
  readonly region: string;
  /** `alias/steadyhand-dr` */
  readonly alias: string;
  readonly state?: Key['state'];
}

export const rdsAlias = 'alias/aws/rds';

export function newKey({ region, alias, state = 'Enabled' }: KeyWish): Key {
  const manager = alias.startsWith('alias/aws/') ? 'AWS' : 'CUSTOMER';
  return { id: randomUUID(), region, createdAt: new Date().toISOString(), state, manager, description: alias, aliases: [alias] };
}

function keyArn(place: Pick<Place, 'state'>, key: Key): string {
  return `arn:aws:kms:${key.region}:${place.state.account}:key/${key.id}`;
}

/** The key of that region with that id, ARN, alias or alias's ARN. */
function findKey(place: Place, region: string, name: string): Key | undefined {
  const alias = name.startsWith('arn:') ? name.slice(name.lastIndexOf(':') + 1) : name;
  if (name.startsWith('arn:') && name.split(':')[3] !== region) return undefined;
  return place.state.keys.find(
    (key) => key.region === region && (key.id === alias || keyArn(place, key) === name || key.aliases.includes(alias)),
  );
}

/** The ARN of a key that storage can be encrypted with, as RDS looks for it. Throws its KMSKeyNotAccessibleFault. */
export function usableKey(place: Place, region: string, name: string): string {
  const key = findKey(place, region, name);
  if (key?.state !== 'Enabled')
    throw new AwsError(
      'KMSKeyNotAccessibleFault',
      `The specified KMS key [${name}] does not exist, is not enabled or you do not have permissions to access it.`,
    );
  return keyArn(place, key);
}

/** The same for what is encrypted already, or isn't. */
export function checkKey(place: Place, region: string, arn: string | undefined): void {
  if (arn !== undefined) usableKey(place, region, arn);
}

export function describeKey({ place, region, input }: JsonCall): object {
  return { KeyMetadata: metadata(place, keyOf(place, region, input)) };
}

export function listAliases({ place, region, input }: JsonCall): object {
  const keys = place.state.keys.filter(
    (key) => key.region === region && (input['KeyId'] === undefined || key === findKey(place, region, textOf(input, 'KeyId'))),
  );
  const aliases = keys.flatMap((key) =>
    key.aliases.map((name) => ({
      AliasName: name,
      AliasArn: `arn:aws:kms:${region}:${place.state.account}:${name}`,
      TargetKeyId: key.id,
    })),
  );
  return { Aliases: aliases, Truncated: false };
}

export function disableKey(call: JsonCall): object {
  return changed(call, 'DisableKey', 'Disabled');
}

export function enableKey(call: JsonCall): object {
  return changed(call, 'EnableKey', 'Enabled');
}

export function scheduleKeyDeletion(call: JsonCall): object {
  return changed(call, 'ScheduleKeyDeletion', 'PendingDeletion');
}

function changed({ place, region, input }: JsonCall, action: string, state: Key['state']): object {
  const key = keyOf(place, region, input);
  if (key.state !== state) place.effect(action, region, key.id);
  key.state = state;
  return { KeyId: keyArn(place, key), KeyState: state };
}

function keyOf(place: Place, region: string, input: JsonCall['input']): Key {
  const name = textOf(input, 'KeyId');
  const key = findKey(place, region, name);
  if (!key) throw new AwsError('NotFoundException', `Key '${name}' does not exist`);
  return key;
}

function metadata(place: Place, key: Key): object {
  return {
    AWSAccountId: place.state.account,
    KeyId: key.id,
    Arn: keyArn(place, key),
    CreationDate: new Date(key.createdAt).getTime() / 1_000,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.state,
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    KeySpec: 'SYMMETRIC_DEFAULT',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
  };
}
