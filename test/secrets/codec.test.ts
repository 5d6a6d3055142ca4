import { createSecretKey, randomBytes } from 'node:crypto';
import { Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import protocol from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { ulid } from 'ulid';
import { expect, inject, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { failureConverter } from '../../temporal/encoded-failures.ts';
import { dataConverterOf } from '../../temporal/data-converter.ts';
import { payloadCodec, type PayloadKey } from '../../temporal/payload-codec.ts';
import { workflowBundle } from '../../worker/bundle.ts';
import { enginePlace, type EngineTest } from '../engine/place.ts';
import { found, foundBelow } from './traces.ts';

const place = enginePlace();
const newKey = (id: string): PayloadKey => ({ id, key: createSecretKey(randomBytes(32)) });

type History = Awaited<ReturnType<typeof historyOf>>;
const codedHistory = protocol.temporal.api.history.v1.History;

async function historyOf(client: Client, run: string) {
  return await client.workflow.getHandle(run).fetchHistory();
}

const bytesOf = (history: History): Buffer => Buffer.from(codedHistory.encode(history).finish());

type Words = Readonly<Record<'input' | 'message' | 'fact', string>>;

/** Through what brings payloads: input, updates, a failure with details, progress; until it is parked. */
async function parked(engine: EngineTest, { input, message, fact }: Words): Promise<string> {
  engine.world.fail('second', new Failure('server-error', `broken: ${message}`, { table: fact }));
  const run = await engine.request({ word: input });
  await engine.agree(run, 'agree-first');
  expect((await engine.asked(run, 'second')).failure).toMatchObject({ message: `broken: ${message}`, facts: { table: fact } });
  return run;
}

const wordsOf = (mark: string) => ({ input: `Input${mark}`, message: `Message${mark}`, fact: `Fact${mark}` });

test('without keys Temporal holds what a run is told, so the search below would see it', async () => {
  const engine = await place.begin();
  const words = wordsOf(ulid());
  const run = await parked(engine, words);
  expect(found(words, bytesOf(await historyOf(engine.client, run)))).toEqual(['input', 'message', 'fact']);
  expect((await foundBelow(words, inject('temporalFolder'))).length).toBeGreaterThanOrEqual(3);
});

test('with keys a whole run leaves nothing readable in its history or in the server’s files', async () => {
  const keys = [newKey('k1')];
  const engine = await place.begin({ keys });
  const words = wordsOf(ulid());
  const run = await parked(engine, words);
  const handle = engine.client.workflow.getHandle(run);
  // The record says that it is parked before the workflow itself does.
  const details = async (): Promise<unknown> =>
    (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails;
  await expect.poll(details, { timeout: 10_000 }).toContain(words.message);
  await handle.signal('decided', await engine.click(run, 'grace', 'retry'));
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  const history = await historyOf(engine.client, run);
  expect(found({ ...words, title: 'Make the second', question: 'agree-first' }, bytesOf(history))).toEqual([]);
  expect(await foundBelow(words, inject('temporalFolder'))).toEqual([]);
  expect(new Set(typesOf(history))).toEqual(new Set(['server-error']));
  const described = await handle.describe();
  expect(described.searchAttributes).toMatchObject({ RunbookDatabase: ['orders'], RunbookState: ['closed'] });
  expect(described.memo).toMatchObject({ requester: 'ada' });
});

test('failures of a workflow itself are unreadable too, and readable for who has the key', async () => {
  const engine = await place.begin({ keys: [newKey('k1')] });
  const workflowId = `rehearsal/orders/${ulid()}`;
  const mark = ulid();
  const args = [{ request: `Request${mark}`, input: {} }];
  const handle = await engine.client.workflow.start('rehearsal', { workflowId, taskQueue: engine.taskQueue, args });
  const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause?.message).toContain('recorded no request');
  const history = await historyOf(engine.client, workflowId);
  expect(found({ mark, message: 'recorded no request' }, bytesOf(history))).toEqual([]);
  expect(history.events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure).toMatchObject({
    message: 'Encoded failure',
    applicationFailureInfo: { type: 'request-unknown' },
  });
});

test('what an error calls itself is not told to Temporal, unless it is of the closed list', () => {
  const error = ApplicationFailure.create({ message: 'x', type: 'hunter2' });
  expect(failureConverter.errorToFailure(error, defaultPayloadConverter).applicationFailureInfo?.type).toBe('internal');
});

test('U7: after a rotation a run that began before goes on, and its old history is readable', async () => {
  const [old, next] = [newKey('2026-05'), newKey('2026-11')];
  // First every process knows both, then the new one encrypts.
  const engine = await place.begin({ keys: [old, next] });
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await engine.stopWorkers();
  await engine.startWorker([next, old]);
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  const history = await historyOf(engine.client, run);
  expect(found({ old: old.id, next: next.id }, bytesOf(history))).toEqual(['old', 'next']);
  await replay(history, run, [next, old]);
  await expect(replay(history, run, [next])).rejects.toThrow('Replay failed');
  const late = new Client({ connection: engine.client.connection, dataConverter: dataConverterOf([next]) });
  await expect(late.workflow.getHandle(run).describe()).rejects.toThrow(
    /encrypted with the key "2026-05", and this process has 2026-11; put the key .* STEADYHAND_PAYLOAD_KEYS/,
  );
});

async function replay(history: History, run: string, keys: readonly PayloadKey[]): Promise<void> {
  const bundle = await workflowBundle(inject('workflowBundle'), { encodes: true });
  await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter: dataConverterOf(keys) }, history, run);
}

function typesOf({ events }: History): (string | null | undefined)[] {
  const text: { type?: string }[] = [];
  JSON.stringify(events, (name, value: unknown) => {
    if (name === 'applicationFailureInfo' && typeof value === 'object' && value !== null) text.push(value);
    return value;
  });
  return text.map(({ type }) => type).filter((type) => type !== undefined);
}

test('the codec: what is older than the keys passes, another key’s bytes and a changed payload are told apart from a key that is missing', async () => {
  const plain = defaultPayloadConverter.toPayload({ word: 'hello' });
  const [one, other] = [payloadCodec([newKey('k1')]), payloadCodec([newKey('k1'), newKey('k2')])];
  const coded = await one.encode([plain, plain]);
  expect(coded[0]?.data).not.toEqual(coded[1]?.data);
  expect((await one.decode([...coded, plain])).map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual(
    Array.from({ length: 3 }, () => ({ word: 'hello' })),
  );
  await expect(other.decode(coded)).rejects.toMatchObject({
    code: 'configuration-invalid',
    message: expect.stringContaining('another one'),
  });
  const [first] = coded;
  const changed = { ...first, data: Buffer.from(first?.data ?? []).fill(0, 20, 21) };
  await expect(one.decode([changed])).rejects.toMatchObject({ message: expect.stringContaining('or the payload was changed') });
  await expect(one.decode([{ ...first, data: Buffer.alloc(3) }])).rejects.toMatchObject({ code: 'configuration-invalid' });
  await expect(one.decode([{ ...first, metadata: { ...first?.metadata, 'encryption-key-id': Buffer.from('k9') } }])).rejects.toThrow(
    '"k9"',
  );
});
