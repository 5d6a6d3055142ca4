import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { connectTemporal } from '../../temporal/connect.ts';
import { newRequest } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { apiProcesses, type ApiProcess, type ApiProcesses } from './api-process.ts';

const place = apiProcesses();
const asked = { runbook: 'migration-cutover', database: 'orders', input: { target: 'orders-18' } };
const accepted = z.object({ run: z.string(), created: z.boolean() });
let client: Client;

beforeAll(async () => {
  client = await connectTemporal({ connectionOptions: { address: inject('temporalAddress') } });
});
afterAll(async () => {
  await client.connection.close();
});

async function ask(api: ApiProcess, { token }: ApiProcesses): Promise<z.infer<typeof accepted>> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'OPS-7' };
  const answer = await fetch(new URL('/v1/runs', api.url), { method: 'POST', headers, body: JSON.stringify(asked) });
  expect(answer.status).toBe(202);
  return accepted.parse(await answer.json());
}

interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

/** Every execution that was started on this test's queue, once there is one of each of these runs. */
async function executions({ taskQueue }: ApiProcesses, runs: readonly string[]): Promise<Execution[]> {
  return await eventually(async () => {
    const found: Execution[] = [];
    for await (const { workflowId, runId } of client.workflow.list({ query: `TaskQueue = "${taskQueue}"` })) {
      found.push({ workflowId, runId });
    }
    return runs.every((run) => found.some((one) => one.workflowId === run)) ? found : undefined;
  });
}

/** The name of the only run that there is. */
async function onlyRun({ control }: ApiProcesses): Promise<string> {
  const [only, ...others] = await control.runs.list({ limit: 9 });
  if (only === undefined || others.length > 0) throw new Error(`there should be one run, not ${others.length + (only ? 1 : 0)}`);
  return only.run;
}

/** Nothing of it reaches the other end of the tap any more. */
async function kill(api: ApiProcess): Promise<'cut'> {
  api.kill('SIGKILL');
  await eventually(() => Promise.resolve(api.alive() ? undefined : true));
  return 'cut';
}

async function started(processes: ApiProcesses): Promise<void> {
  await eventually(async () => ((await processes.control.requests.unstarted(0)).length === 0 ? true : undefined));
}

test('C11: an API that is killed between commit and start leaves a run that another one starts, once', async () => {
  const processes = await place.begin();
  const dying = await processes.start({ tapped: true });
  const killed = processes.tap.set({ statement: /admit_request/, when: 'answered', spring: () => kill(dying) });
  await expect(ask(dying, processes)).rejects.toThrow('fetch failed');
  await killed;
  const run = await onlyRun(processes);
  expect(await processes.control.requests.unstarted(0)).toMatchObject([{ run, startedAt: null }]);
  const next = await processes.start();
  await started(processes);
  expect(await ask(next, processes)).toEqual({ run, created: false });
  expect(await executions(processes, [run])).toHaveLength(1);
});

test('C12: an API that is killed after the start, before it wrote that down: the client’s second try finds the same run', async () => {
  const processes = await place.begin();
  const dying = await processes.start({ tapped: true });
  const killed = processes.tap.set({ statement: /SET started_at/, when: 'sent', spring: () => kill(dying) });
  // It is written after the answer.
  const { run } = await ask(dying, processes);
  await killed;
  const before = await executions(processes, [run]);
  expect(before).toHaveLength(1);
  expect(await processes.control.requests.unstarted(0)).toMatchObject([{ run }]);
  const next = await processes.start();
  expect(await ask(next, processes)).toEqual({ run, created: false });
  await started(processes);
  expect(await executions(processes, [run])).toEqual(before);
});

test('two replicas that find the same unstarted runs start each of them once', async () => {
  const processes = await place.begin();
  const runs: string[] = [];
  for (let count = 0; count < 12; count += 1)
    runs.push((await processes.control.requests.create(newRequest({ requester: 'ada' }))).request.run);
  await Promise.all([processes.start(), processes.start()]);
  await started(processes);
  const found = await executions(processes, runs);
  expect(found.map((one) => one.workflowId).toSorted()).toEqual(runs.toSorted());
  const kinds = (await processes.control.events.list({ limit: 100 })).map((event) => event.kind);
  expect(kinds.filter((kind) => kind !== 'token.created')).toEqual(runs.map(() => 'run.requested'));
});
