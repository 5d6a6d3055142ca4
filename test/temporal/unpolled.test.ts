import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectTemporal } from '../../temporal/connect.ts';
import { unpolledQueues } from '../../temporal/unpolled.ts';
import { eventually } from '../support/eventually.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

let client: Client;
beforeAll(async () => {
  client = await connectTemporal({ connectionOptions: { address: inject('temporalAddress') } });
});
afterAll(async () => {
  await client.connection.close();
});

test('a queue is polled while a worker of its kind is there, and not any more when that has not asked for 75 s', async () => {
  const queue = `unpolled-${ulid()}`;
  const all = await unpolledQueues(client, queue);
  expect(all.map((one) => `${one.queue.slice(queue.length)} ${one.work}`)).toEqual([
    ' workflows',
    ' activities',
    '-long activities',
    '-switch activities',
  ]);
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const worker = await Worker.create({ connection, taskQueue: `${queue}-long`, activities: { look: () => Promise.resolve() } });
  const running = worker.run();
  const left = await eventually(async () => {
    const now = await unpolledQueues(client, queue);
    return now.length < all.length ? now : undefined;
  });
  expect(left).toEqual(all.filter((one) => one.queue !== `${queue}-long`));
  expect(await unpolledQueues(client, queue, () => Date.now() + 76_000)).toEqual(all);
  worker.shutdown();
  await running;
  await connection.close();
});
