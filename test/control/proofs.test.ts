import { expect, test } from 'vitest';
import type { Proof } from '../../control/contract.ts';
import { parseInventory } from '../../domain/inventory.ts';
import { overdueProofs } from '../../domain/overdue-proof.ts';
import { aRun, controlPlace, kindsOf } from './support.ts';

const place = controlPlace();

const proof: Proof = {
  database: 'orders',
  verified: 'restored-and-queried',
  backup: 'orders-2026-11-21',
  backupAt: '2026-11-21T03:00:00.000Z',
  target: '2026-11-21T10:00:00Z',
  recoveredTo: '2026-11-21T09:59:59.999999Z',
  secondsAvailable: 412.5,
  secondsHydrated: 900,
  checks: [{ tier: 'catalog', state: 'passed', seconds: 1 }],
  versions: { postgres: '16.14', steadyhand: '0.1.0' },
};

test('a proof is written once for each key, with one event, and is never changed', async () => {
  const { control, database } = await place.fresh();
  const run = await aRun(control);
  const first = await control.proofs.record({ ...proof, run, key: `${run}/prove/1` });
  const again = await control.proofs.record({ ...proof, backup: 'another', run, key: `${run}/prove/1` });
  expect(again).toEqual(first);
  const target = '2026-11-21T10:00:00.000000Z';
  expect(first).toEqual({ ...proof, target, id: first.id, run, at: expect.stringMatching(/Z$/) as string });
  expect((await kindsOf(control, run)).filter((kind) => kind.startsWith('proof'))).toEqual(['proof.recorded']);
  for (const sql of [`UPDATE steadyhand.proofs SET verified = 'none'`, 'DELETE FROM steadyhand.proofs', 'TRUNCATE steadyhand.proofs']) {
    for (const role of ['superuser', 'steadyhand_app']) {
      const client = await place.client(database, role === 'superuser' ? undefined : role);
      await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
    }
  }
});

test('the ledger by pages, newest first; only what was restored and queried proves something', async () => {
  const { control } = await place.emptied();
  const run = await aRun(control);
  for (const [index, verified] of (['restored-and-queried', 'available', 'none'] as const).entries()) {
    await control.proofs.record({ ...proof, verified, run, key: `${run}/prove/${index}` });
  }
  await control.proofs.record({ ...proof, database: 'billing', verified: 'available', run, key: `${run}/other/1` });
  const page = await control.proofs.list({ database: 'orders', limit: 2 });
  expect(page.map((one) => one.verified)).toEqual(['none', 'available']);
  const rest = await control.proofs.list({ database: 'orders', before: page[1]?.id, limit: 2 });
  expect(rest.map((one) => one.verified)).toEqual(['restored-and-queried']);
  expect(await control.proofs.last()).toEqual({ orders: rest[0]?.at });
});

test('a database is overdue when nothing proved it within the days of its policy', () => {
  const server = { host: 'a', dbname: 'a', user: 'a' };
  const database = (policy: string) => ({ provider: 'streaming', owners: 'dba', policy, server });
  const policy = (more: object) => ({
    requesters: ['dba'],
    operators: ['dba'],
    approvals: { low: 'auto', medium: 'auto', high: 'auto' },
    ...more,
  });
  const databases = { fresh: database('month'), late: database('month'), never: database('week'), quiet: database('none') };
  const policies = { month: policy({}), week: policy({ provedRestore: '7d' }), none: policy({ provedRestore: 'off' }) };
  const text = JSON.stringify({ version: 1, people: [{ name: 'ada', groups: ['dba'] }], databases, policies });
  const last = { fresh: '2026-10-23T00:00:00.000Z', late: '2026-10-21T00:00:00.000Z' };
  expect(overdueProofs(parseInventory(text, 'test'), last, Date.parse('2026-11-21T00:00:00Z'))).toEqual([
    { database: 'late', lastProvedAt: last.late, withinDays: 30 },
    { database: 'never', lastProvedAt: null, withinDays: 7 },
  ]);
});
