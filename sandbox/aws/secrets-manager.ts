import { randomUUID } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import { textOf, type JsonCall } from './json-call.ts';
import type { Secret } from './secret.ts';
import { identifier } from './state.ts';

const current = 'AWSCURRENT';
const previous = 'AWSPREVIOUS';

export function createSecret({ place, region, input }: JsonCall): object {
  const name = textOf(input, 'Name');
  if (place.state.secrets.some((one) => one.region === region && one.name === name))
    throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
  const secret: Secret = {
    name,
    region,
    arn: `arn:aws:secretsmanager:${region}:${place.state.account}:secret:${name}-${identifier(6)}`,
    versions: [],
  };
  place.state.secrets.push(secret);
  place.effect('CreateSecret', region, name);
  const version = input['SecretString'] === undefined ? undefined : addVersion(secret, input, [current]);
  return { ARN: secret.arn, Name: name, VersionId: version };
}

/** The same token with the same text is the same version, and no effect. */
export function putSecretValue({ place, region, input }: JsonCall): object {
  const secret = secretOf({ place, region, input });
  const stages = Array.isArray(input['VersionStages']) ? input['VersionStages'].map(String) : [current];
  const token = textOf(input, 'ClientRequestToken');
  const known = secret.versions.find(({ id }) => id === token);
  if (known && known.text !== textOf(input, 'SecretString'))
    throw new AwsError('ResourceExistsException', `The version ${token} exists already with another content.`);
  if (!known) place.effect('PutSecretValue', region, secret.name);
  const version = known?.id ?? addVersion(secret, input, stages);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version,
    VersionStages: secret.versions.find(({ id }) => id === version)?.stages,
  };
}

export function getSecretValue({ place, region, input }: JsonCall): object {
  const secret = secretOf({ place, region, input });
  const [id, stage] = [textOf(input, 'VersionId'), textOf(input, 'VersionStage') || current];
  const version = secret.versions.find((one) => (id === '' ? one.stages.includes(stage) : one.id === id));
  if (!version)
    throw new AwsError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for ${id === '' ? `staging label: ${stage}` : `VersionId: ${id}`}`,
    );
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    SecretString: version.text,
    VersionStages: version.stages,
    CreatedDate: new Date(version.createdAt).getTime() / 1_000,
  };
}

export function describeSecret(call: JsonCall): object {
  const secret = secretOf(call);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionIdsToStages: Object.fromEntries(secret.versions.map(({ id, stages }) => [id, stages])),
  };
}

/** Moves a label; the one that lost AWSCURRENT becomes AWSPREVIOUS. */
export function updateSecretVersionStage({ place, region, input }: JsonCall): object {
  const secret = secretOf({ place, region, input });
  const [stage, to] = [textOf(input, 'VersionStage'), textOf(input, 'MoveToVersionId')];
  const holder = secret.versions.find(({ stages }) => stages.includes(stage));
  if (holder && holder.id !== to && holder.id !== textOf(input, 'RemoveFromVersionId'))
    throw new AwsError(
      'InvalidParameterException',
      `The label ${stage} is attached to version ${holder.id}: name it in RemoveFromVersionId.`,
    );
  if (to !== '' && !secret.versions.some(({ id }) => id === to))
    throw new AwsError('ResourceNotFoundException', `There is no version ${to}.`);
  if (holder?.id !== to) place.effect('UpdateSecretVersionStage', region, `${secret.name}/${stage}`);
  moveStage(secret, stage, to);
  return { ARN: secret.arn, Name: secret.name };
}

function addVersion(secret: Secret, input: JsonCall['input'], stages: readonly string[]): string {
  const id = textOf(input, 'ClientRequestToken') || randomUUID();
  secret.versions.push({ id, text: textOf(input, 'SecretString'), stages: [], createdAt: new Date().toISOString() });
  for (const stage of stages) moveStage(secret, stage, id);
  return id;
}

function moveStage(secret: Secret, stage: string, to: string): void {
  const holder = secret.versions.find(({ stages }) => stages.includes(stage));
  if (holder?.id === to) return;
  const take = (label: string): void => {
    for (const version of secret.versions) version.stages = version.stages.filter((one) => one !== label);
  };
  take(stage);
  if (stage === current && holder) {
    take(previous);
    holder.stages.push(previous);
  }
  secret.versions.find(({ id }) => id === to)?.stages.push(stage);
}

function secretOf({ place, region, input }: JsonCall): Secret {
  const name = textOf(input, 'SecretId');
  const found = place.state.secrets.find((one) => one.region === region && (one.name === name || one.arn === name));
  if (!found) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  return found;
}
