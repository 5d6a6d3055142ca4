import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAws } from '../../../activities/aws/aws.ts';

type Answer = readonly [status: number, body: string] | 'hang up';

/** What is answered next, the last one for ever; the access keys that were used, and who says to have called. */
let answers: Answer[] = [];
let keys: string[] = [];
let callers: string[] = [];
let server: Server;
let folder: string;

const error = (code: string, message = 'because'): string =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`;
const nothing =
  '<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBInstancesResult><DBInstances/></DescribeDBInstancesResult></DescribeDBInstancesResponse>';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steadyhand-aws-'));
  server = createServer((request, response) => {
    keys.push(/Credential=(\w+)/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    callers.push(request.headers['user-agent']?.split(' ').at(-1) ?? '');
    request.resume().on('end', () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === 'hang up' || !answer) return request.socket.destroy();
      response.writeHead(answer[0], { 'content-type': 'text/xml' }).end(answer[1]);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  process.env['AWS_ENDPOINT_URL_RDS'] = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder, 'credentials');
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  keys = [];
  callers = [];
  await credentials('FIRST');
});

const credentials = async (key: string): Promise<void> =>
  await writeFile(join(folder, 'credentials'), `[default]\naws_access_key_id = ${key}\naws_secret_access_key = secret\n`);

const look = (): Promise<unknown> =>
  createAws().call('eu-central-1', 'rds:DescribeDBInstances', { DBInstanceIdentifier: 'orders' }, 'orders');

test.for([
  ['Throttling', 400, 'provider-busy'],
  ['InternalFailure', 500, 'provider-busy'],
  ['SomethingNew', 503, 'provider-busy'],
  ['InsufficientDBInstanceCapacity', 400, 'provider-busy'],
  ['InvalidDBSnapshotState', 400, 'provider-busy'],
  ['InstanceQuotaExceeded', 400, 'quota-exceeded'],
  ['DBInstanceNotFound', 404, 'not-found'],
  ['DBInstanceNotFoundFault', 404, 'not-found'],
  ['InvalidParameterValue', 400, 'provider-refused'],
  ['KMSKeyNotAccessibleFault', 400, 'provider-refused'],
  ['InvalidClientTokenId', 403, 'login-refused'],
] as const)('%s with %i is %s', async ([code, status, ours]) => {
  answers = [[status, error(code)]];
  await expect(look()).rejects.toMatchObject({
    code: ours,
    message: `rds:DescribeDBInstances in eu-central-1 for orders: because (${code.replace(/Fault$/, '')})`,
  });
});

test('the permission that is missing is named', async () => {
  answers = [[403, error('AccessDenied', 'User: x is not authorized')]];
  await expect(look()).rejects.toMatchObject({
    code: 'privilege-missing',
    message: expect.stringContaining('the permission rds:DescribeDBInstances is missing') as string,
  });
});

test('what is missing is named, also when the call asks for more than its own permission', async () => {
  answers = [[403, error('AccessDenied', 'User: x is not authorized to perform: iam:PassRole on resource: y')]];
  const message = expect.stringContaining('the permission iam:PassRole is missing') as string;
  await expect(look()).rejects.toMatchObject({ code: 'privilege-missing', message });
});

test('a place without a free machine is asked again after a minute', async () => {
  answers = [[400, error('InsufficientDBInstanceCapacity')]];
  await expect(look()).rejects.toMatchObject({ retryable: true, facts: { retryAfterMs: 60_000 } });
});

test('a look is repeated when the wire is cut, and says so when it stays cut', async () => {
  answers = ['hang up', [200, nothing]];
  await expect(look()).resolves.toMatchObject({ DBInstances: [] });
  expect(keys).toHaveLength(2);
  answers = ['hang up'];
  await expect(look()).rejects.toMatchObject({ code: 'unreachable' });
});

test('credentials that have run out are read again', async () => {
  const aws = createAws();
  const ask = (): Promise<unknown> => aws.call('eu-central-1', 'rds:DescribeDBInstances', {});
  answers = [[200, nothing]];
  await ask();
  await credentials('SECOND');
  answers = [
    [403, error('ExpiredToken')],
    [200, nothing],
  ];
  await expect(ask()).resolves.toMatchObject({ DBInstances: [] });
  expect(keys).toEqual(['FIRST', 'FIRST', 'SECOND']);
  answers = [[403, error('ExpiredToken')]];
  await expect(ask()).rejects.toMatchObject({ code: 'login-refused' });
});

test('a call says at the end of its user agent which step of which run makes it', async () => {
  const aws = createAws();
  answers = [[200, nothing]];
  await aws.call('eu-central-1', 'rds:DescribeDBInstances', {}, undefined, { key: 'pitr-restore/orders (old)/01K/restore-moment/1' });
  await aws.call('eu-central-1', 'rds:DescribeDBInstances', {});
  expect(callers).toEqual([
    'steadyhand/pitr-restore/orders--old-/01K/restore-moment/1',
    expect.not.stringContaining('steadyhand') as string,
  ]);
});
