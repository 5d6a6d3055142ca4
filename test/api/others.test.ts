import { expect, test } from 'vitest';
import { z } from 'zod';
import type { AnyRunbook } from '../../domain/runbook.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import { apiPlace, problemIn, type Answer, type ApiTest } from './place.ts';

const place = apiPlace();

/** Names a second database, as a move does. */
const move: AnyRunbook = {
  ...rehearsal,
  name: 'move',
  input: z.strictObject({ target: z.string() }),
  others: ({ target }) => ({ target }),
};

async function begin(): Promise<ApiTest> {
  const api = await place.begin({ move });
  const { orders } = api.inventory.databases;
  if (orders) api.inventory = { ...api.inventory, databases: { orders, 'orders-18': orders, ledger: orders } };
  return api;
}

const ask = async (api: ApiTest, key: string, more: Record<string, unknown> = {}): Promise<Answer> =>
  await api.call('POST', '/v1/runs', {
    as: 'ada',
    body: { runbook: 'move', database: 'orders', input: { target: 'orders-18' }, ...more },
    headers: { 'idempotency-key': key },
  });

test('a run stands in the line of each database that its input names', async () => {
  const api = await begin();
  const { run } = (await ask(api, 'there')).body;
  const waiting = (await ask(api, 'back', { database: 'orders-18', input: { target: 'orders' }, wait: true })).body;
  for (const database of ['orders', 'orders-18']) {
    expect((await api.control.lease.line(database)).map((one) => one.run)).toEqual([run, waiting['run']]);
  }
  const { body } = await api.call('GET', `/v1/runs/${String(waiting['id'])}`, { as: 'ada' });
  expect(body['waits']).toMatchObject({ database: 'orders-18', place: 2, first: { run } });
});

test('a run is refused while a database that it names is frozen, and not for another one; who breaks the glass passes', async () => {
  const api = await begin();
  const freeze = async (database: string): Promise<Answer> =>
    await api.call('POST', '/v1/freezes', { as: 'grace', body: { reason: 'the closing', database } });
  await freeze('ledger');
  expect((await ask(api, 'before')).status).toBe(202);
  const { body } = await freeze('orders-18');
  expect(problemIn(await ask(api, 'while'))).toMatchObject({
    code: 'frozen',
    detail: expect.stringMatching(/^orders-18 is frozen by grace since .*: the closing$/),
  });
  expect((await ask(api, 'emergency', { breakGlass: 'orders is down' })).status).toBe(202);
  const { runs } = (await api.call('GET', '/v1/runs', { as: 'ada' })).body;
  expect(runs).toMatchObject([{ frozen: null }, { frozen: { id: body['id'] } }]);
});
