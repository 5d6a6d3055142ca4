import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Request } from '../../control/contract.ts';
import type { DecisionMessage } from '../../domain/decision.ts';
import { Failure } from '../../domain/failure.ts';
import { connectTemporal } from '../../temporal/connect.ts';
import { isOpen, lookAt, startRun, temporalRuns, workflowTypeOf } from '../../temporal/runs.ts';
import { sendDecision } from '../../temporal/send-decision.ts';
import { startGrpcProxy } from '../support/grpc-proxy.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

let client: Client;
const taskQueue = `runs-${ulid()}`;
/** A status of gRPC after which the client does not repeat the call. */
const denied = 7;

beforeAll(async () => {
  client = await connectTemporal({ connectionOptions: { address: inject('temporalAddress') } });
});
afterAll(async () => {
  await client.connection.close();
});

function aRequest(changes: Partial<Request> = {}): Request {
  const run = `takes-decisions/orders/${ulid()}`;
  const base = { id: ulid(), run, runbook: 'takes-decisions', database: 'orders', input: { word: 'hello' } };
  return { ...base, requester: 'ada', channel: 'cli', ticket: 'OPS-7', startedAt: null, ...changes };
}

function aMessage(changes: Partial<DecisionMessage> = {}): DecisionMessage {
  return { approval: 'agree', opening: 1, digest: 'd'.repeat(64), choice: 'approve', decisionId: ulid(), ...changes };
}

async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => new Error('it went through'),
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw error;
}

test('a runbook’s name becomes its workflow’s', () => {
  expect(workflowTypeOf('migration-cutover')).toBe('migrationCutover');
});

test('S4: a dead address and a wrong namespace are told apart, within seconds', async () => {
  const dead = await failure(connectTemporal({ connectionOptions: { address: '127.0.0.1:1' } }));
  expect(dead).toMatchObject({ code: 'temporal-unavailable', message: expect.stringContaining('127.0.0.1:1 does not answer') });
  const address = inject('temporalAddress');
  const wrong = await failure(connectTemporal({ connectionOptions: { address }, namespace: 'nowhere' }));
  expect(wrong).toMatchObject({ code: 'temporal-unavailable', message: expect.stringContaining('no namespace "nowhere"') });
});

test('started twice it runs once, under its own id, with what a list of runs needs', async () => {
  const request = aRequest();
  await startRun(client, request, { taskQueue });
  const first = await client.workflow.getHandle(request.run).describe();
  await startRun(client, request, { taskQueue });
  const second = await client.workflow.getHandle(request.run).describe();
  expect(second.runId).toBe(first.runId);
  expect(second.type).toBe('takesDecisions');
  expect(second.searchAttributes).toMatchObject({
    RunbookName: ['takes-decisions'],
    RunbookState: ['requested'],
    RunbookTicket: ['OPS-7'],
  });
  expect(second.memo).toMatchObject({ request: request.id, requester: 'ada' });
  expect(await isOpen(client, request.run)).toBe(true);
  await client.workflow.getHandle(request.run).terminate();
  expect(await lookAt(client, request.run)).toEqual({ status: 'terminated', resetTo: null });
  await startRun(client, request, { taskQueue });
  expect(await isOpen(client, request.run)).toBe(false);
});

test('a workflow that never was is unknown, and takes no decision', async () => {
  const run = aRequest().run;
  expect(await lookAt(client, run)).toEqual({ status: 'unknown', resetTo: null });
  expect(await isOpen(client, run)).toBe(false);
  expect((await failure(sendDecision(client, run, aMessage()))).code).toBe('not-found');
});

test('health answers, and fails with a closed connection', async () => {
  await temporalRuns(client, { taskQueue }).health();
  const other = await connectTemporal({ connectionOptions: { address: inject('temporalAddress') } });
  await other.connection.close();
  expect((await failure(temporalRuns(other, { taskQueue }).health())).code).toBe('temporal-unavailable');
});

test('a server that answered is not asked again before the next start, until a start fails', async () => {
  const proxy = await startGrpcProxy(inject('temporalAddress'));
  const through = await connectTemporal({ connectionOptions: { address: proxy.address } });
  try {
    const runs = temporalRuns(through, { taskQueue });
    await runs.ready();
    proxy.faults.set('DescribeNamespace', { status: denied });
    proxy.faults.set('StartWorkflowExecution', { status: denied });
    await runs.ready();
    await failure(runs.start(aRequest()));
    expect((await failure(runs.ready())).code).toBe('temporal-unavailable');
    // Also waits for the calls of before: the library repeats those that a closed connection ends.
    proxy.faults.clear();
    await runs.ready();
  } finally {
    await through.connection.close();
    await proxy.close();
  }
});

test('C5: decisions that no worker was there for wait in the run; the others are judged at once, each id once', async () => {
  const request = aRequest({ ticket: null });
  await startRun(client, request, { taskQueue });
  const early = aMessage();
  expect(await sendDecision(client, request.run, early, 500)).toBeNull();
  const native = await NativeConnection.connect({ address: inject('temporalAddress') });
  const workflowsPath = fileURLToPath(new URL('./decide-workflow.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const worker = await Worker.create({ connection: native, taskQueue, workflowBundle });
  await worker.runUntil(async () => {
    const message = aMessage();
    expect(await sendDecision(client, request.run, message)).toEqual({
      counts: true,
      settled: null,
      by: { person: 'grace' },
      because: 'opening 1',
    });
    expect(await sendDecision(client, request.run, message)).toMatchObject({ counts: true });
    expect(await sendDecision(client, request.run, aMessage({ opening: 2 }))).toMatchObject({ counts: false, because: 'opening 2' });
    const changed = await failure(sendDecision(client, request.run, aMessage({ digest: 'f'.repeat(64) })));
    expect(changed).toMatchObject({ code: 'conflict', facts: { because: 'the plan has changed' } });
    await sendDecision(client, request.run, aMessage({ choice: 'cancel' }));
    // The result has the ids in order, as the workflow took them.
    const taken = (await client.workflow.getHandle(request.run).result()) as string[];
    expect(taken).toContain(early.decisionId);
    expect(taken.filter((id) => id === message.decisionId)).toHaveLength(1);
    expect(await failure(sendDecision(client, request.run, aMessage()))).toMatchObject({ code: 'not-found' });
  });
  await native.close();
});
