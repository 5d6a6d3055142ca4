import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Choice, DecisionMessage } from '../../domain/decision.ts';
import { Failure } from '../../domain/failure.ts';
import { connectTemporal } from '../../temporal/connect.ts';
import { sendDecision, signalDecision } from '../../temporal/send-decision.ts';
import { failureOf } from '../control/support.ts';
import { startGrpcProxy, type Fault } from '../support/grpc-proxy.ts';

// Only the run's own refusal is a judgement. Every fault on the way is injected between the SDK's client and the real server.

Runtime.install({ logger: new DefaultLogger('ERROR') });

const taskQueue = `send-${ulid()}`;
const update = 'UpdateWorkflowExecution';
const poll = 'PollWorkflowExecutionUpdate';
const signal = 'SignalWorkflowExecution';
const soon = 700;
const long = 6_000;
let client: Client;
let end: () => Promise<void>;

beforeAll(async () => {
  const address = inject('temporalAddress');
  client = await connectTemporal({ connectionOptions: { address } });
  const native = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('./decide-workflow.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const worker = await Worker.create({ connection: native, taskQueue, workflowBundle });
  const running = worker.run();
  end = async () => {
    worker.shutdown();
    await running;
    await native.close();
    await client.connection.close();
  };
});
afterAll(async () => await end());

function aMessage(choice: Choice = 'approve'): DecisionMessage {
  return { approval: 'agree', opening: 1, digest: 'd'.repeat(64), choice, decisionId: ulid() };
}

async function aRun(type = 'takesDecisions'): Promise<string> {
  return (await client.workflow.start(type, { taskQueue, workflowId: `takes-decisions/orders/${ulid()}` })).workflowId;
}

async function taken(run: string): Promise<string[]> {
  await sendDecision(client, run, aMessage('cancel'));
  return (await client.workflow.getHandle(run).result()) as string[];
}

const notFound = 5;
const resourceExhausted = 8;
/** All statuses of gRPC but OK, and what a server does that is stopped or dies. */
const faults: readonly Fault[] = [...Array.from({ length: 16 }, (_, index) => ({ status: index + 1 })), 'silent', 'lost'];

/** A client whose calls of these methods have the fault. */
async function withFault<Result>(fault: Fault, methods: readonly string[], work: (faulty: Client) => Promise<Result>): Promise<Result> {
  const proxy = await startGrpcProxy(inject('temporalAddress'));
  const faulty = await connectTemporal({ connectionOptions: { address: proxy.address } });
  try {
    for (const method of methods) proxy.faults.set(method, fault);
    return await work(faulty);
  } finally {
    await faulty.connection.close();
    await proxy.close();
  }
}

const nameOf = (fault: Fault): string => (typeof fault === 'string' ? fault : String(fault.status));

test('a fault of the update is no judgement: the answer goes as a signal', async () => {
  const outcomes = await Promise.all(
    faults.map(async (fault) => {
      const run = await aRun();
      const message = aMessage();
      const answer = await withFault(fault, [update, poll], async (faulty) => await sendDecision(faulty, run, message, soon));
      return [nameOf(fault), answer, (await taken(run)).includes(message.decisionId)];
    }),
  );
  expect(outcomes).toEqual(faults.map((fault) => [nameOf(fault), null, true]));
});

test('a fault of update and signal is no judgement, whatever it is', async () => {
  const outcomes = await Promise.all(
    faults.map(async (fault) => {
      const run = await aRun();
      return await withFault(fault, [update, poll, signal], async (faulty) => {
        const sent = await failureIn(sendDecision(faulty, run, aMessage(), soon));
        const again = await failureIn(signalDecision(faulty, run, aMessage(), soon));
        await client.workflow.getHandle(run).terminate();
        return [nameOf(fault), sent, again];
      });
    }),
  );
  const code = (fault: Fault) => (typeof fault === 'object' && fault.status === notFound ? 'not-found' : 'temporal-unavailable');
  expect(outcomes).toEqual(faults.map((fault) => [nameOf(fault), code(fault), code(fault)]));
});

async function failureIn(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => 'it went through',
    (reason: unknown) => reason,
  );
  return error instanceof Failure ? error.code : error;
}

test('the validator’s refusal is a judgement', async () => {
  const run = await aRun();
  const message = { ...aMessage(), digest: 'f'.repeat(64) };
  expect(await failureOf('conflict', sendDecision(client, run, message))).toMatchObject({ facts: { because: 'the plan has changed' } });
});

test('a handler that fails, or breaks off, has judged nothing: the answer goes as a signal', async () => {
  const run = await aRun();
  const message = aMessage('abort');
  expect(await sendDecision(client, run, message)).toBeNull();
  expect(await taken(run)).toContain(message.decisionId);
});

test('a workflow whose task fails has judged nothing: the answer goes as a signal', async () => {
  const run = await aRun('nobodyKnowsThisStory');
  expect(await sendDecision(client, run, aMessage(), soon)).toBeNull();
  await client.workflow.getHandle(run).terminate();
});

test('more updates at once than a workflow takes: each is judged or goes as a signal', async () => {
  const run = await aRun();
  const messages = Array.from({ length: 30 }, () => aMessage('retry'));
  const answers = await Promise.all(messages.map(async (message) => await sendDecision(client, run, message, soon)));
  expect(answers.filter((one) => one === null).length).toBeGreaterThan(0);
  const all = await taken(run);
  for (const { decisionId } of messages) expect(all).toContain(decisionId);
});

test('four updates under way: the next answers go as signals at once, and updates go again after that', async () => {
  const run = await aRun();
  const [first, rest] = [4, 20].map((length) => Array.from({ length }, () => aMessage('retry'))) as [DecisionMessage[], DecisionMessage[]];
  await withFault('silent', [update, poll], async (faulty) => {
    const waiting = first.map(async (message) => await sendDecision(faulty, run, message, long));
    const began = performance.now();
    expect(await Promise.all(rest.map(async (message) => await sendDecision(faulty, run, message, long)))).toEqual(rest.map(() => null));
    expect(performance.now() - began).toBeLessThan(long / 2);
    expect(await Promise.all(waiting)).toEqual(first.map(() => null));
  });
  expect(await sendDecision(client, run, aMessage())).toMatchObject({ counts: true });
  const all = await taken(run);
  for (const { decisionId } of [...first, ...rest]) expect(all).toContain(decisionId);
});

test('the server has no place for an update: the answer goes as a signal at once', async () => {
  const run = await aRun();
  const message = aMessage();
  const began = performance.now();
  const answer = await withFault({ status: resourceExhausted }, [update], async (faulty) => await sendDecision(faulty, run, message, long));
  expect(performance.now() - began).toBeLessThan(long / 2);
  expect(answer).toBeNull();
  expect(await taken(run)).toContain(message.decisionId);
});

test('a workflow that has ended, or never was: `not-found`, for the run’s row to decide', async () => {
  const run = await aRun();
  await taken(run);
  await failureOf('not-found', sendDecision(client, run, aMessage(), soon));
  await failureOf('not-found', sendDecision(client, `takes-decisions/orders/${ulid()}`, aMessage(), soon));
});
