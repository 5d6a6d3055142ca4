import { expect, test } from 'vitest';
import { cliTest } from '../cli/place.ts';
import { eventually } from '../support/eventually.ts';
import { apiPlace } from './place.ts';

const place = apiPlace();

test('the ledger by HTTP, in the terminal and as a metric; who is overdue is told', async () => {
  const api = await place.begin();
  const metrics = async (): Promise<string> => (await api.app.inject({ method: 'GET', url: '/metrics' })).body;
  const databases = Object.keys(api.parts.inventory().databases);
  expect(await metrics()).toContain('steadyhand_last_proved_restore_timestamp_seconds{database="orders"} 0\n');
  const none = await api.call('GET', '/v1/proofs', { as: 'mallory' });
  expect(none.body).toMatchObject({
    proofs: [],
    next: null,
    overdue: databases.toSorted().map((database) => ({ database, lastProvedAt: null })),
  });
  const { run } = await api.run();
  const record = async (key: string) =>
    await api.control.proofs.record({
      ...{ run, key, database: 'orders', verified: 'restored-and-queried', backup: 'nightly', backupAt: null, target: null },
      ...{ recoveredTo: '2026-11-21T09:59:59.999999Z', secondsAvailable: 411.6, secondsHydrated: null, checks: [], versions: {} },
    });
  const first = await record('1');
  const second = await record('2');
  const page = await api.call('GET', '/v1/proofs?database=orders&limit=1', { as: 'mallory' });
  expect(page.body).toMatchObject({ proofs: [{ id: second.id, run }], next: second.id, overdue: [] });
  const last = await api.call('GET', `/v1/proofs?before=${second.id}&limit=5`, { as: 'mallory' });
  expect(last.body).toMatchObject({ proofs: [{ id: first.id }], next: null });
  const proved = `steadyhand_last_proved_restore_timestamp_seconds{database="orders"} ${Date.parse(second.at) / 1_000}\n`;
  // One answer serves everybody for a second.
  await eventually(async () => (await metrics()).includes(proved) || undefined);
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' });
  const cli = cliTest({ environment: { STEADYHAND_API_URL: address, STEADYHAND_TOKEN: await api.tokenOf('mallory') } });
  const shown = await cli.run('proofs', 'orders', '--limit', '1');
  expect(shown.out).toMatch(
    /^PROVED +DATABASE +VERIFIED .*\n.* orders +restored-and-queried +2026-11-21T09:59:59Z +6 min 52 s +\w{26} +nightly\n$/,
  );
  expect(shown.err).toContain(`--before ${second.id}`);
  api.inventory = { ...api.inventory, databases: { ...api.inventory.databases, attic: api.inventory.databases['orders']! } };
  const warned = await cli.run('proofs', '--json');
  expect(warned.err).toContain('Warning: attic was never restored to prove that it can be; its policy wants that every 30 days');
  expect(JSON.parse(warned.out)).toMatchObject({ proofs: [{ id: second.id }, { id: first.id }] });
});
