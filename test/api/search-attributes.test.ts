import { Client, Connection } from '@temporalio/client';
import { ulid } from 'ulid';
import { expect, inject, onTestFinished, test } from 'vitest';
import { buildApp } from '../../api/server.ts';
import type { Failure } from '../../domain/failure.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { runProgram } from '../../sandbox/run-program.ts';
import { temporalProgram } from '../../sandbox/temporal-program.ts';
import { temporalRuns } from '../../temporal/runs.ts';
import { requireSearchAttributes } from '../../temporal/search-attributes.ts';
import { cliTest } from '../cli/place.ts';
import { eventually } from '../support/eventually.ts';
import { apiPlace, problemIn, type Answer } from './place.ts';

const place = apiPlace();
type RegisterNamespace = Parameters<Client['workflowService']['registerNamespace']>[0];

const keyword = 2;
const text = 1;

async function connected(namespace: string): Promise<Client> {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  onTestFinished(async () => await connection.close());
  return new Client({ connection, namespace });
}

/** A namespace that has one of the attributes, and one of another type. */
async function namespaceLacking(): Promise<{ namespace: string; client: Client }> {
  const namespace = `lacking-${ulid().toLowerCase()}`;
  const client = await connected(namespace);
  // A number is taken for a Long.
  const days = { seconds: 86_400 } as unknown as RegisterNamespace['workflowExecutionRetentionPeriod'];
  await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: days });
  const { operatorService } = client.connection;
  const searchAttributes = { RunbookName: keyword, RunbookState: text };
  await eventually(async () => await operatorService.addSearchAttributes({ namespace, searchAttributes }).catch(() => undefined));
  return { namespace, client };
}

/** As at Temporal Cloud: this client may not ask the operator service. */
async function withoutOperator(namespace: string): Promise<Client> {
  const client = await connected(namespace);
  const refused = Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7, details: 'Request unauthorized.', metadata: {} });
  Object.assign(client.connection.operatorService, { listSearchAttributes: async () => await Promise.reject(refused) });
  return client;
}

async function messageOf(client: Client): Promise<string> {
  return await requireSearchAttributes(client).then(
    () => 'all are there',
    ({ message }: Failure) => message,
  );
}

test('without a search attribute the API is not ready and rejects a run, both with the commands; these create it', async () => {
  const { namespace, client } = await namespaceLacking();
  const api = await place.begin();
  const app = await buildApp({ ...api.parts, temporal: temporalRuns(client, { taskQueue: 'nobody' }) });
  onTestFinished(async () => await app.close());
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const cli = cliTest({ environment: { STEADYHAND_API_URL: url, STEADYHAND_TOKEN: await api.tokenOf('ada') } });
  const readiness = async (): Promise<Answer> => {
    const answer = await fetch(new URL('/readyz', url));
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    return { status: answer.status, type, headers: {}, body: (await answer.json()) as Record<string, unknown> };
  };

  const refused = await readiness();
  expect(refused.status).toBe(503);
  const { code, detail } = problemIn(refused);
  expect(code).toBe('search-attributes-missing');
  const commands = detail.split('\n').slice(1);
  const create = ['RunbookDatabase', 'RunbookState', 'RunbookRequester', 'RunbookTicket'].map((name) => `--name ${name} --type Keyword`);
  expect(commands).toEqual([
    `  temporal operator search-attribute remove --namespace ${namespace} --name RunbookState --yes`,
    `  temporal operator search-attribute create --namespace ${namespace} ${create.join(' ')}`,
  ]);
  const start = await cli.run('start', 'rehearsal', 'orders', '-i', 'word=hello');
  expect(start).toMatchObject({ code: 1, out: '', err: expect.stringContaining(commands.join('\n')) });
  expect(start.err).toContain('code: search-attributes-missing');
  expect(await api.control.runs.list({ limit: 5 })).toEqual([]);

  const cloud = await withoutOperator(namespace);
  expect(await messageOf(cloud)).toContain(
    'lacks the search attributes RunbookDatabase, RunbookRequester, RunbookTicket; it has RunbookState as Text',
  );
  expect(await messageOf(cloud)).toContain(
    `tcld namespace search-attributes add --namespace ${namespace} --search-attribute RunbookDatabase=Keyword`,
  );

  const program = await temporalProgram({ configuration: sandboxConfiguration(), log: () => undefined });
  for (const command of commands) {
    const args = command.trim().split(' ').slice(1);
    await runProgram({
      command: program,
      args,
      environment: { TEMPORAL_ADDRESS: inject('temporalAddress'), HOME: '/tmp' },
      timeoutMs: 30_000,
    });
  }
  await eventually(async () => ((await readiness()).status === 200 ? true : undefined));
  expect(await eventually(async () => ((await messageOf(cloud)) === 'all are there' ? true : undefined), 30_000)).toBe(true);
  const started = await cli.run('start', 'rehearsal', 'orders', '-i', 'word=hello');
  expect(started).toMatchObject({ code: 0 });
  const [run] = await api.control.runs.list({ limit: 5 });
  const { status } = await client.workflow.getHandle(run?.run ?? '').describe();
  expect(status.name).toBe('RUNNING');
}, 60_000);
