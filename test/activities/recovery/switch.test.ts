import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { fence } from '../../../activities/recovery/switch/fence.ts';
import { letIn } from '../../../activities/recovery/switch/let-in.ts';
import { liftFence } from '../../../activities/recovery/switch/lift-fence.ts';
import { setPasswords } from '../../../activities/recovery/switch/set-passwords.ts';
import type { Switching } from '../../../activities/recovery/switch/switching.ts';
import { takeSwitchingFacts } from '../../../activities/recovery/switch/take-switching-facts.ts';
import { verifySwitched } from '../../../activities/recovery/switch/verify-switched.ts';
import { inside } from '../../../activities/replication/switch/hold.ts';
import type { PoolerEntry } from '../../../domain/inventory.ts';
import { sandboxConfiguration } from '../../../sandbox/configuration.ts';
import { startPgBouncer } from '../../../sandbox/pgbouncer.ts';
import { failureOf } from '../../control/support.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { pooled } from '../../support/pooled.ts';
import { inDatabase } from '../support.ts';
import { bench, fenced, given, now, ofTheMoment, switchPair, type Address, type Bench } from './switch-bench.ts';

const pair = switchPair();

const shutOut = { code: '42501' };

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
  // A hydration that failed and was skipped has left an extension in there, which this role could not make.
  await copy.query(`CREATE TABLE "${journal.tag}"."left" ()`);
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
