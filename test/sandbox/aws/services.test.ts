import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { abroad, awsPlace, home, type AwsPlace } from './place.ts';
import { signedCall } from './signed-call.ts';

let place: AwsPlace;
beforeAll(async () => {
  place = await awsPlace();
});
afterAll(() => place.end());

const secrets = async (action: string, input: object, region: string = home) => {
  const signing = { endpoint: place.aws.endpoint, region, service: 'secretsmanager', credentials: place.aws.credentials };
  const { status, text } = await signedCall(signing, JSON.stringify(input), `secretsmanager.${action}`);
  return { status, ...JSON.parse(text) };
};

describe('a secret', () => {
  it('has versions with labels that move; the same version twice is one, in one region only', async () => {
    await secrets('CreateSecret', { Name: 'orders', SecretString: 'first', ClientRequestToken: 'v1' });
    expect(await secrets('GetSecretValue', { SecretId: 'orders' })).toMatchObject({ SecretString: 'first', VersionStages: ['AWSCURRENT'] });
    const put = { SecretId: 'orders', SecretString: 'second', ClientRequestToken: 'v2', VersionStages: ['AWSPENDING'] };
    for (const _ of [1, 2]) expect(await secrets('PutSecretValue', put)).toMatchObject({ VersionId: 'v2' });
    expect(await secrets('PutSecretValue', { ...put, SecretString: 'other' })).toMatchObject({
      status: 400,
      __type: 'ResourceExistsException',
    });
    expect(await secrets('GetSecretValue', { SecretId: 'orders' })).toMatchObject({ SecretString: 'first' });
    const move = { SecretId: 'orders', VersionStage: 'AWSCURRENT', MoveToVersionId: 'v2' };
    expect(await secrets('UpdateSecretVersionStage', move)).toMatchObject({ __type: 'InvalidParameterException' });
    await secrets('UpdateSecretVersionStage', { ...move, RemoveFromVersionId: 'v1' });
    expect(await secrets('GetSecretValue', { SecretId: 'orders' })).toMatchObject({ SecretString: 'second' });
    expect(await secrets('GetSecretValue', { SecretId: 'orders', VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: 'first' });
    expect(await secrets('GetSecretValue', { SecretId: 'orders' }, abroad)).toMatchObject({ __type: 'ResourceNotFoundException' });
    expect(
      place.aws
        .effects()
        .filter(({ resource }) => resource.startsWith('orders'))
        .map(({ count }) => count),
    ).toEqual([1, 1, 1]);
    expect(JSON.stringify(place.aws.calls())).not.toContain('second');
  });
});

it('a session of an assumed role works until it is over', async () => {
  const { endpoint, credentials } = place.aws;
  const query =
    'Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/runbooks&RoleSessionName=night&DurationSeconds=2';
  const { text } = await signedCall({ endpoint, region: home, service: 'sts', credentials }, query);
  const field = (name: string): string => new RegExp(`<${name}>(.*)</${name}>`).exec(text)?.[1] ?? '';
  const session = { accessKeyId: field('AccessKeyId'), secretAccessKey: field('SecretAccessKey'), sessionToken: field('SessionToken') };
  const client = new RDSClient({ endpoint, region: home, credentials: session, maxAttempts: 1 });
  await client.send(new DescribeDBInstancesCommand({}));
  const asked = await signedCall(
    { endpoint, region: home, service: 'sts', credentials: session },
    'Action=GetCallerIdentity&Version=2011-06-15',
  );
  expect(asked.text).toContain('user/night');
  const refusal = await eventually(() =>
    client.send(new DescribeDBInstancesCommand({})).then(
      () => undefined,
      (error: Error) => error,
    ),
  );
  expect(refusal).toMatchObject({ name: 'ExpiredToken' });
});

it('whoever is not in the process plans faults and reads effects and calls at the server itself', async () => {
  const at = (path: string, init?: RequestInit): Promise<Response> => fetch(`${place.aws.endpoint}/_aws/${path}`, init);
  const answered = { action: 'DescribeDBInstances', kind: 'answer', code: 'InsufficientDBInstanceCapacity' };
  expect((await at('faults', { method: 'POST', body: JSON.stringify(answered) })).status).toBe(201);
  await expect(place.describe('orders')).rejects.toMatchObject({ name: 'InsufficientDBInstanceCapacityFault' });
  await at('faults', { method: 'POST', body: JSON.stringify({ ...answered, times: 9 }) });
  await at('faults', { method: 'DELETE' });
  await expect(place.describe('orders')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
  const calls: unknown = await (await at('calls')).json();
  expect(calls).toContainEqual(
    expect.objectContaining({ action: 'DescribeDBInstances', code: 'InsufficientDBInstanceCapacity', faults: ['answer'] }),
  );
  expect(await (await at('effects')).json()).toEqual(place.aws.effects());
  expect((await at('elsewhere')).status).toBe(404);
});
