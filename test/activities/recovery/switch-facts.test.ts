import { expect, onTestFinished, test } from 'vitest';
import { takeSwitchingFacts } from '../../../activities/recovery/switch/take-switching-facts.ts';
import { failureOf } from '../../control/support.ts';
import { inDatabase } from '../support.ts';
import { bench, fenced, given, switchPair } from './switch-bench.ts';

const pair = switchPair();

test('what a switch would lose, and whose password nobody has, is told before', async () => {
  const { seen } = await bench();
  expect(seen.observed.toBeLost).toEqual({ since: expect.any(String), rows: 60, rowsOf: 'public.orders.at', commits: null });
  expect(seen.observed.withoutSecret).toEqual(['guest', 'reports']);
  expect(seen.binding.roles).toEqual(['app']);
});

test('the provider’s own roles are none of the application’s', async () => {
  const { asked, live } = await bench();
  await live.query('CREATE ROLE managed_backup LOGIN');
  onTestFinished(async () => {
    await inDatabase(pair.source, 'postgres', 'DROP ROLE managed_backup');
  });
  expect((await takeSwitchingFacts(asked)).observed.withoutSecret).toEqual(['guest', 'reports']);
  expect((await takeSwitchingFacts({ ...asked, ownRoles: undefined })).observed.withoutSecret).toEqual([
    'guest',
    'managed_backup',
    'reports',
  ]);
});

test('an application that logs in as Steadyhand does is refused in the plan', async () => {
  const { asked } = await bench();
  const { servers } = asked;
  const entry = servers.entry('orders');
  const asMain = { ...servers, entry: () => ({ ...entry, users: [{ name: 'main', secret: { env: 'MAIN' } }] }) };
  const refused = await failureOf('plan-impossible', takeSwitchingFacts({ ...asked, servers: asMain }));
  expect(refused.message).toMatch(/logs in as main.*role of its own/);
});

interface Lacking {
  readonly without: string;
  /** `$db` is the database. */
  readonly sql: string;
  readonly back: string;
  readonly says: RegExp;
}

const lackingRights: readonly Lacking[] = [
  {
    without: 'it does not own the database',
    sql: 'ALTER DATABASE $db OWNER TO postgres',
    back: 'ALTER DATABASE $db OWNER TO main',
    says: /does not own the database, so it cannot close it to clients.*GRANT the owning role/,
  },
  {
    without: 'it sees no other sessions',
    sql: 'REVOKE pg_monitor FROM main',
    back: 'GRANT pg_monitor TO main',
    says: /may not see and end other sessions.*GRANT pg_monitor and pg_signal_backend/,
  },
  {
    without: 'it ends no other sessions',
    sql: 'REVOKE pg_signal_backend FROM main',
    back: 'GRANT pg_signal_backend TO main',
    says: /may not see and end other sessions.*GRANT pg_monitor and pg_signal_backend/,
  },
  {
    without: 'others gave the right to connect on',
    sql: 'SET ROLE main; GRANT CONNECT ON DATABASE $db TO app WITH GRANT OPTION; SET ROLE app; GRANT CONNECT ON DATABASE $db TO reports',
    back: 'SELECT',
    says: /granted by others than its owner: "reports" by "app"/,
  },
  {
    without: 'somebody is a member of its login',
    sql: 'GRANT main TO guest',
    back: 'REVOKE main FROM guest',
    says: /members of Steadyhand's roles.*: guest.*REVOKE the membership/,
  },
];

for (const [where, side] of [
  ['of the one in use', 'source'],
  ['of the copy', 'target'],
] as const)
  test.each(lackingRights)(`where the fence ${where} would shut nobody out since $without, the plan is refused`, async (one) => {
    const { asked, dbname } = await bench();
    await given(pair[side], one.sql.replaceAll('$db', dbname), one.back.replaceAll('$db', dbname));
    const refused = await failureOf('plan-impossible', takeSwitchingFacts(asked));
    expect(refused.message).toMatch(one.says);
    expect(refused.message).toContain(side === 'source' ? 'orders' : 'the restored copy of orders');
  });

for (const [where, side] of [
  ['the one in use', 'source'],
  ['the copy', 'target'],
] as const) {
  test(`another database on the server of ${where} would go back with it: the plan is refused`, async () => {
    const { asked } = await bench();
    await given(pair[side], 'CREATE DATABASE billing OWNER main', 'DROP DATABASE billing');
    await given(pair[side], 'CREATE DATABASE old_template', 'DROP DATABASE old_template');
    await given(pair[side], 'ALTER DATABASE old_template IS_TEMPLATE true', 'ALTER DATABASE old_template IS_TEMPLATE false');
    const refused = await failureOf('plan-impossible', takeSwitchingFacts(asked));
    expect(refused.message).toMatch(/ has other databases, which would go back to the moment with it: billing\. /);
    expect(refused.message).toContain(side === 'source' ? 'the server of orders' : 'the server of the restored copy of orders');
  });

  test(`the database postgres on the server of ${where} is in the way when something is in it, or told when nobody can look`, async () => {
    const { asked } = await bench();
    expect((await takeSwitchingFacts(asked)).observed.notLookedInto).toEqual([]);
    const closed = 'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC';
    await given(pair[side], 'CREATE TABLE jobs ()', 'DROP TABLE IF EXISTS jobs');
    expect((await failureOf('plan-impossible', takeSwitchingFacts(asked))).message).toContain('with it: postgres (jobs)');
    await given(pair[side], closed, 'GRANT CONNECT ON DATABASE postgres TO PUBLIC');
    const { observed } = await takeSwitchingFacts(asked);
    expect(observed.notLookedInto).toEqual([`postgres on the server of ${side === 'source' ? 'orders' : 'the restored copy of orders'}`]);
  });
}

test('the provider’s own databases are in nobody’s way', async () => {
  const { asked } = await bench();
  await given(pair.source, 'CREATE ROLE managed_by', 'DROP ROLE managed_by');
  await given(pair.source, 'CREATE DATABASE managed OWNER managed_by', 'DROP DATABASE managed');
  await takeSwitchingFacts(asked);
  await failureOf('plan-impossible', takeSwitchingFacts({ ...asked, ownRoles: undefined }));
});

test('another entry of the inventory on the same instance is refused in the plan', async () => {
  const { asked, entry } = await bench();
  const orders = entry();
  const { rds = { instance: '', region: '' } } = orders;
  const databases = { orders, billing: { ...orders, server: { ...orders.server, dbname: 'billing' } } };
  const refused = await failureOf('plan-impossible', takeSwitchingFacts({ ...asked, inventory: { ...asked.inventory, databases } }));
  expect(refused.message).toContain(`billing stands on the instance "${rds.instance}"`);
  const elsewhere = { ...databases, billing: { ...databases.billing, rds: { ...rds, region: 'eu-west-1' } } };
  await takeSwitchingFacts({ ...asked, inventory: { ...asked.inventory, databases: elsewhere } });
});

const follow = `CREATE SUBSCRIPTION :name CONNECTION 'host=127.0.0.1 port=1 user=nobody password=none dbname=none' PUBLICATION p WITH (connect = false)`;

test('the copy follows no other server, and who followed the one in use is told', async () => {
  const { asked, live, copy, dbname, switching, journal } = await bench();
  await inDatabase(pair.source, 'postgres', 'ALTER ROLE main REPLICATION');
  await live.query(`SELECT pg_create_logical_replication_slot('${dbname}_feed', 'pgoutput')`);
  onTestFinished(async () => await inDatabase(pair.source, dbname, `SELECT pg_drop_replication_slot('${dbname}_feed')`));
  await inDatabase(pair.target, 'postgres', 'GRANT pg_create_subscription TO main');
  await copy.query(follow.replace(':name', '"Prices 1"'));
  await copy.query('ALTER SUBSCRIPTION "Prices 1" ENABLE');
  onTestFinished(async () => {
    await inDatabase(pair.target, dbname, 'ALTER SUBSCRIPTION "Prices 1" DISABLE');
    await inDatabase(pair.target, dbname, 'ALTER SUBSCRIPTION "Prices 1" SET (slot_name = NONE)');
    await inDatabase(pair.target, dbname, 'DROP SUBSCRIPTION "Prices 1"');
  });
  const { binding, observed } = await takeSwitchingFacts(asked);
  expect([binding.subscriptions, observed.slots]).toEqual([['Prices 1'], [`${dbname}_feed`]]);
  const enabled = async () => (await copy.query('SELECT subenabled AS enabled FROM pg_subscription WHERE subname = $1', ['Prices 1'])).rows;
  expect(await enabled()).toEqual([{ enabled: true }]);
  await fenced({ switching: { ...switching, facts: binding }, journal });
  expect(await enabled()).toEqual([{ enabled: false }]);
});

test('a subscription that Steadyhand’s role may not disable is refused in the plan', async () => {
  const { asked, dbname } = await bench();
  await inDatabase(pair.target, dbname, follow.replace(':name', 'foreign_prices'));
  onTestFinished(async () => {
    await inDatabase(pair.target, dbname, 'ALTER SUBSCRIPTION foreign_prices SET (slot_name = NONE)');
    await inDatabase(pair.target, dbname, 'DROP SUBSCRIPTION foreign_prices');
  });
  const refused = await failureOf('plan-impossible', takeSwitchingFacts(asked));
  expect(refused.message).toContain('may not disable: foreign_prices (of postgres)');
});

test('a role that the copy has not is refused in the plan', async () => {
  const { asked, live } = await bench();
  await live.query('CREATE ROLE newcomer LOGIN');
  const { servers } = asked;
  const entry = servers.entry('orders');
  const withOne = { ...servers, entry: () => ({ ...entry, users: [{ name: 'newcomer', secret: { env: 'APP' } }] }) };
  const refused = await failureOf('plan-impossible', takeSwitchingFacts({ ...asked, servers: withOne }));
  expect(refused.message).toContain('has no role newcomer');
});
