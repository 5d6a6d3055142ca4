import { expect, test } from 'vitest';
import { taggedObjects } from '../../../activities/replication/tagged-objects.ts';
import { createServers } from '../../../activities/postgres/session.ts';
import { parseInventory } from '../../../domain/inventory.ts';
import { freePorts } from '../../../sandbox/free-ports.ts';

test('what can not be looked at is said, the server and the pooler each for itself', async () => {
  const [port = 0] = await freePorts(1);
  const server = { host: '127.0.0.1', port, dbname: 'orders', user: 'steadyhand', sslmode: 'disable', secret: { env: 'PASSWORD' } };
  const pooler = {
    kind: 'pgbouncer',
    host: '127.0.0.1',
    port: 6432,
    alias: 'orders',
    configFile: '/nowhere/pgbouncer.ini',
    admin: { user: 'admin' },
  };
  const orders = { provider: 'streaming', owners: 'dba', server, pooler };
  const policies = { default: { requesters: ['dba'], operators: ['dba'], approvals: { low: 'auto', medium: 'auto', high: 'auto' } } };
  const inventory = parseInventory(
    JSON.stringify({ version: 1, people: [{ name: 'ada', groups: ['dba'] }], databases: { orders }, policies }),
    'test',
  );
  const { objects, unseen } = await taggedObjects(
    createServers(() => inventory, { PASSWORD: 'x' }),
    'orders',
  );
  expect(objects).toEqual([]);
  expect(unseen).toEqual([expect.stringContaining(`127.0.0.1:${port}`), expect.stringContaining('/nowhere/pgbouncer.ini')]);
});
