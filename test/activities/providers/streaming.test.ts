import { afterAll, beforeAll, expect, test } from 'vitest';
import { providerOf } from '../../../activities/providers/provider-of.ts';
import { makeBench, startPair, type Pair } from '../support.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

test('tells what a database is, the same at each look', async () => {
  const bench = await makeBench(pair);
  const [source, target] = [providerOf(bench.servers, 'orders'), providerOf(bench.servers, 'orders-new')];
  const first = await source.describe('orders');
  expect(await source.describe('orders')).toEqual(first);
  expect(first).toMatchObject({ inRecovery: false, topology: { role: 'primary', timeline: 1, standbys: [] } });
  expect(first.systemIdentifier).toMatch(/^\d{18,20}$/);
  const other = await target.describe('orders-new');
  expect([first.version, other.version].map((version) => Math.floor(version / 10_000))).toEqual([16, 18]);
  expect(other.systemIdentifier).not.toBe(first.systemIdentifier);
  await bench.end();
});

test('a server that is down is unreachable, a wrong password is a refused login', async () => {
  const bench = await makeBench(pair);
  bench.configure('source', (entry) => ({ ...entry, server: { ...entry.server, secret: { env: 'TARGET_PASSWORD' } } }));
  await expect(providerOf(bench.servers, 'orders').describe('orders')).rejects.toMatchObject({ code: 'login-refused' });
  bench.configure('source', (entry) => ({ ...entry, server: { ...entry.server, port: 1 } }));
  await expect(providerOf(bench.servers, 'orders').describe('orders')).rejects.toMatchObject({ code: 'unreachable' });
  await bench.end();
});
