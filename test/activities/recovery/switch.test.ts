import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { SwitchOver } from '../../../activities/recovery/contract.ts';
import { fence } from '../../../activities/recovery/switch/fence.ts';
import { letIn } from '../../../activities/recovery/switch/let-in.ts';
import { liftFence } from '../../../activities/recovery/switch/lift-fence.ts';
import { setPasswords } from '../../../activities/recovery/switch/set-passwords.ts';
import type { Switching } from '../../../activities/recovery/switch/switching.ts';
import { takeSwitchingFacts } from '../../../activities/recovery/switch/take-switching-facts.ts';
import { verifySwitched } from '../../../activities/recovery/switch/verify-switched.ts';
import { createServers } from '../../../activities/postgres/session.ts';
import { inside } from '../../../activities/replication/switch/hold.ts';
import { quoteIdentifier } from '../../../domain/command.ts';
import type { DatabaseEntry, Inventory, PoolerEntry } from '../../../domain/inventory.ts';
import { sandboxConfiguration } from '../../../sandbox/configuration.ts';
import { startPgBouncer } from '../../../sandbox/pgbouncer.ts';
import { failureOf } from '../../control/support.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { pooled } from '../../support/pooled.ts';
import { connect, inDatabase, startPair, type LoggedCluster, type Pair } from '../support.ts';
import { createNoReturn } from '../switch/faults.ts';

const now = 'the application’s password of now';
const ofTheMoment = 'the application’s password of the moment';
const main = 'the main user’s password';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  for (const [side, password] of [
    [pair.source, now],
    [pair.target, ofTheMoment],
  ] as const) {
    await inDatabase(
      side,
      'postgres',
      `CREATE ROLE main LOGIN CREATEROLE CREATEDB PASSWORD '${main}'; CREATE ROLE guest LOGIN; GRANT pg_monitor, pg_signal_backend TO main`,
    );
    const owner = await connect(side, 'postgres', { user: 'main', password: main });
    await owner.query(`CREATE ROLE app LOGIN PASSWORD '${password}'; CREATE ROLE reports LOGIN`);
    await owner.end();
  }
}, 60_000);
afterAll(async () => await pair.stop());

type Address = { readonly host: string; readonly port: number; readonly dbname: string };

let number = 0;
const rules = { schema: 'public', table: 'orders', column: 'at' };

/** The one in use is on the source's server, its copy of a minute ago on the target's. */
async function bench(pooler?: (address: Address) => Promise<PoolerEntry>) {
  const dbname = `switch_${++number}`;
  const open = async (side: LoggedCluster): Promise<pg.Client> => {
    await inDatabase(side, 'postgres', `CREATE DATABASE ${quoteIdentifier(dbname)} OWNER main`);
    onTestFinished(async () => await inDatabase(side, 'postgres', `DROP DATABASE ${quoteIdentifier(dbname)} WITH (FORCE)`));
    const client = await connect(side, dbname, { user: 'main', password: main });
    onTestFinished(async () => await client.end().catch(() => undefined));
    await client.query('CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now())');
    await client.query('GRANT ALL ON orders TO app');
    return client;
  };
  const [live, copy] = [await open(pair.source), await open(pair.target)];
  const since = new Date(Date.now() - 59_500).toISOString();
  await live.query(`INSERT INTO orders (at) SELECT now() - i * interval '1 s' FROM generate_series(0, 200) i`);
  const addresses = { live: addressOf(pair.source), copy: addressOf(pair.target) };
  const viaPooler = pooler ? { pooler: await pooler({ ...addresses.live, dbname }) } : {};
  const login = { dbname, user: 'main', secret: { env: 'MAIN' }, sslmode: 'disable' } as const;
  const secrets = { MAIN: main, APP: now };
  let leadsTo: keyof typeof addresses = 'live';
  const entry = (): DatabaseEntry => ({
    ...{ provider: 'rds', owners: 'dba', policy: 'default', rds: { instance: dbname.replace('_', '-'), region: 'eu-central-1' } },
    server: { ...login, ...addresses[leadsTo] },
    ...viaPooler,
    users: [{ name: 'app', secret: { env: 'APP' } }, { name: 'reports' }],
  });
  const inventory: Inventory = {
    ...{ version: 1, people: [], policies: {} },
    get databases() {
      return { orders: entry() };
    },
  };
  const servers = createServers(() => inventory, secrets);
  const measured = { target: since, recoveredTo: since, secondsAvailable: 1, secondsHydrated: 1, verification: {} };
  const recovery: SwitchOver = {
    database: 'orders',
    restored: addresses.copy,
    facts: 'the digest',
    measured,
    switched: { resource: 'db-COPY' },
  };
  const asked = { servers, recovery, isRestored: true, since, newestRow: rules, journal: [], ownRoles: '^managed', inventory };
  const seen = await takeSwitchingFacts(asked);
  const switching: Switching = { servers, recovery, facts: seen.binding, newestRow: rules, noReturn: createNoReturn(() => 1) };
  return {
    ...{ dbname, live, copy, seen, switching, secrets, asked, entry },
    journal: createJournal(),
    exchangeNames: () => {
      leadsTo = leadsTo === 'live' ? 'copy' : 'live';
    },
    app: async (side: LoggedCluster, password = now): Promise<pg.Client> => {
      const client = await connect(side, dbname, { user: 'app', password });
      onTestFinished(async () => await client.end().catch(() => undefined));
      return client;
    },
  };
}

type Bench = Awaited<ReturnType<typeof bench>>;

const addressOf = ({ host, port }: LoggedCluster): { host: string; port: number } => ({ host, port });

async function fenced({ switching, journal }: Pick<Bench, 'switching' | 'journal'>): Promise<Switching> {
  const done = await fence(switching, journal.attempt('fence'));
  return { ...switching, recovery: { ...switching.recovery, switched: { ...switching.recovery.switched, fenced: done } } };
}

const shutOut = { code: '42501' };

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

/** Done on both servers by a superuser, and taken back at the end. */
async function given(side: LoggedCluster, sql: string, back: string): Promise<void> {
  await inDatabase(side, 'postgres', sql);
  onTestFinished(async () => await inDatabase(side, 'postgres', back));
}

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

test('roles get the password of now on the copy, once, and no server is told it', async () => {
  const { switching, journal, app } = await bench();
  await inDatabase(pair.target, 'postgres', `ALTER ROLE app PASSWORD '${ofTheMoment}'`);
  expect(await setPasswords(switching, journal.attempt('set-passwords'))).toEqual({ set: ['app'], letIn: ['app'] });
  await app(pair.target);
  expect(await setPasswords(switching, journal.attempt('set-passwords'))).toEqual({ set: [], letIn: ['app'] });
  expect(await pair.target.log()).toContain('ALTER ROLE "app" PASSWORD \'SCRAM-SHA-256$');
  expect(await pair.target.log()).not.toContain(now);
});

test('the fence ends and keeps out clients of both, counts what is lost, and its undo lets them in again, twice', async () => {
  const { asked, switching, journal, app, live } = await bench();
  const client = await app(pair.source);
  await live.end();
  const done = await fence(switching, journal.attempt('fence'));
  expect(done.lost).toMatchObject({ rows: 60, rowsOf: 'public.orders.at' });
  await expect(client.query('SELECT 1')).rejects.toThrow();
  await expect(app(pair.source)).rejects.toMatchObject(shutOut);
  await expect(app(pair.target)).rejects.toMatchObject(shutOut);
  expect((await fence(switching, journal.attempt('fence'))).heldAt).toBe(done.heldAt);
  // The facts of a run that is planned again while its fence is up are those of before.
  const again = await takeSwitchingFacts({ ...asked, since: null, journal: journal.rows() });
  expect(again.binding).toEqual(switching.facts);
  await liftFence(switching, journal.attempt('fence', { undo: true }));
  await liftFence(switching, journal.attempt('fence', { undo: true }));
  await (await app(pair.source)).query('INSERT INTO orders DEFAULT VALUES');
});

test('a fence that keeps nobody out is none: clients that connect at once again are seen', async () => {
  const { switching, journal, dbname, live } = await bench();
  await live.end();
  // Whoever does not own it may say REVOKE, and is only warned.
  await inDatabase(pair.source, 'postgres', `ALTER DATABASE ${dbname} OWNER TO postgres`);
  const connects = [null, 'postgres'].map((role) => ({ role, grantable: false }));
  const { facts } = switching;
  const others = { ...switching, facts: { ...facts, live: { ...facts.live, connects } } };
  const refused = await failureOf('privilege-missing', fence(others, journal.attempt('fence')));
  expect(refused.message).toMatch(/orders is not shut: "app" may connect to switch_/);
  expect([...journal.outcomes.values()]).not.toContain('made');
});

test('a copy that keeps nobody out is seen before anybody is held up', async () => {
  const { switching, journal, dbname, app } = await bench();
  await given(pair.target, `GRANT main TO guest`, 'REVOKE main FROM guest');
  const client = await app(pair.source);
  const refused = await failureOf('privilege-missing', fence(switching, journal.attempt('fence')));
  expect(refused.message).toContain(`the restored copy of orders is not shut: "guest" may connect to ${dbname}`);
  await client.query('INSERT INTO orders DEFAULT VALUES');
});

test('nobody counts as gone because Steadyhand may not see who it is', async () => {
  const { switching, app, live } = await bench();
  await live.end();
  await app(pair.source);
  await given(pair.source, 'REVOKE pg_monitor FROM main', 'GRANT pg_monitor TO main');
  const look = await switching.servers.open('orders', { purpose: 'look' });
  onTestFinished(async () => await look.end());
  expect(await inside({ source: { change: look, look }, ours: [look.pid], console: null })).toHaveLength(1);
});

test('the undo of a fence that never was does nothing', async () => {
  const { switching } = await bench();
  const journal = createJournal();
  await liftFence(switching, journal.attempt('fence', { undo: true }));
  expect([...journal.outcomes.values()]).toEqual(['nothing-to-undo']);
});

test('nobody is let in to the copy by an undo while it has the address', async () => {
  const { switching, journal, exchangeNames, app, live } = await bench();
  await live.end();
  await fence(switching, journal.attempt('fence'));
  exchangeNames();
  const refused = await failureOf('not-yet', liftFence(switching, journal.attempt('fence', { undo: true })));
  expect(refused.message).toContain('until the names are back');
  await expect(app(pair.target)).rejects.toMatchObject(shutOut);
});

async function exchanged(): Promise<Bench & { switching: Switching; journal: Journal }> {
  const here = await bench();
  await inDatabase(pair.target, 'postgres', `ALTER ROLE app PASSWORD '${now}'`);
  await here.live.end();
  const switching = await fenced(here);
  return { ...here, switching };
}

test('what answers must be the copy, and know the application’s password though it is shut', async () => {
  const { switching, journal, exchangeNames, secrets } = await exchanged();
  const verify = async () => await verifySwitched(switching, journal.attempt('verify-switched'));
  expect((await failureOf('not-yet', verify())).message).toContain('does not lead to the restored copy yet');
  exchangeNames();
  expect(await verify()).toEqual({ answers: 'db-COPY', logins: ['app'] });
  secrets.APP = 'another one';
  await failureOf('login-refused', verify());
});

test('clients are let in once it is written down; then there is no way back, and a second attempt ends the same', async () => {
  const { switching, journal, exchangeNames, app, copy } = await exchanged();
  await failureOf('identity-changed', letIn(switching, journal.attempt('let-in')));
  await expect(app(pair.target)).rejects.toMatchObject(shutOut);
  exchangeNames();
  const told = await letIn(switching, journal.attempt('let-in'));
  expect(told).toMatchObject({ lostAfterTarget: 60, switchedTo: 'db-COPY', secondsWithoutWrites: expect.any(Number) });
  await (await app(pair.target)).query('INSERT INTO orders DEFAULT VALUES');
  await expect(app(pair.source)).rejects.toMatchObject(shutOut);
  expect(await letIn(switching, journal.attempt('let-in'))).toMatchObject({ lostAfterTarget: 60 });
  await failureOf('conflict', liftFence(switching, journal.attempt('fence', { undo: true })));
  expect((await copy.query(`SELECT FROM pg_namespace WHERE nspname LIKE 'steadyhand%'`)).rows).toEqual([]);
});

test('nobody decides for a copy that was opened meanwhile', async () => {
  const { switching, journal, exchangeNames, dbname } = await exchanged();
  exchangeNames();
  await inDatabase(pair.target, 'postgres', `GRANT CONNECT ON DATABASE ${dbname} TO app`);
  const refused = await failureOf('privilege-missing', letIn(switching, journal.attempt('let-in')));
  expect(refused.message).toContain(`the restored copy of orders is not shut: "app" may connect to ${dbname}`);
  expect(await switching.noReturn.read(journal.attempt('let-in').run)).toBeNull();
});

let stopPooler: () => Promise<void>;

async function poolerAt(address: Address): Promise<PoolerEntry> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-switch-pooler-'));
  await chmod(directory, 0o755);
  const pooler = await startPgBouncer({
    ...{ directory: join(directory, 'pooler'), logFile: join(directory, 'log'), pidFile: join(directory, 'pid') },
    databases: { orders: address },
    users: { app: now },
    path: sandboxConfiguration().path,
  });
  onTestFinished(async () => {
    await pooler.stop();
    await rm(directory, { recursive: true, force: true });
  });
  stopPooler = async () => await pooler.stop();
  const { host, port, configFile, adminUser, adminPasswordFile } = pooler;
  const admin = { user: adminUser, secret: { file: adminPasswordFile } };
  return { kind: 'pgbouncer', sslmode: 'disable', alias: 'orders', users: [], ...{ host, port, configFile, admin } };
}

test.runIf(pooled)('clients of the pooler wait while the fence is up, and see no error when it is lifted', async () => {
  const { switching, journal, live } = await bench(poolerAt);
  await live.end();
  const { host, port } = switching.servers.entry('orders').pooler ?? {};
  const client = new pg.Client({ host, port, user: 'app', password: now, database: 'orders' });
  await client.connect();
  onTestFinished(async () => await client.end());
  await client.query('INSERT INTO orders DEFAULT VALUES');
  await fence(switching, journal.attempt('fence'));
  let answered = false;
  const waiting = client.query('INSERT INTO orders DEFAULT VALUES').then(() => {
    answered = true;
  });
  await failureOf('not-yet', verifySwitched(switching, journal.attempt('verify-switched')));
  expect(answered).toBe(false);
  await liftFence(switching, journal.attempt('fence', { undo: true }));
  await waiting;
});

test.runIf(pooled)('a pooler that does not answer is asked again, for as long as the fence may take to be lifted', async () => {
  const { switching, journal, live } = await bench(poolerAt);
  await live.end();
  await fence(switching, journal.attempt('fence'));
  await stopPooler();
  const again = await failureOf('not-yet', liftFence(switching, journal.attempt('fence', { undo: true })));
  expect(again.message).toMatch(/writes are still held up: the pooler's alias orders could not be resumed/);
});
