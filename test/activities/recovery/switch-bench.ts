import type pg from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { SwitchOver } from '../../../activities/recovery/contract.ts';
import { fence } from '../../../activities/recovery/switch/fence.ts';
import type { Switching } from '../../../activities/recovery/switch/switching.ts';
import { takeSwitchingFacts } from '../../../activities/recovery/switch/take-switching-facts.ts';
import { createServers } from '../../../activities/postgres/session.ts';
import { quoteIdentifier } from '../../../domain/command.ts';
import type { DatabaseEntry, Inventory, PoolerEntry } from '../../../domain/inventory.ts';
import { createJournal } from '../../support/attempt.ts';
import { connect, inDatabase, startPair, type LoggedCluster, type Pair } from '../support.ts';
import { createNoReturn } from '../switch/faults.ts';

export const now = 'the application’s password of now';
export const ofTheMoment = 'the application’s password of the moment';
const main = 'the main user’s password';

export type Address = { readonly host: string; readonly port: number; readonly dbname: string };

let pair: Pair;

/** Both servers, for the tests of one file. */
export function switchPair(): Pick<Pair, 'source' | 'target'> {
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

  return {
    get source() {
      return pair.source;
    },
    get target() {
      return pair.target;
    },
  };
}

let number = 0;
const rules = { schema: 'public', table: 'orders', column: 'at' };

/** The one in use is on the source's server, its copy of a minute ago on the target's. */
export async function bench(pooler?: (address: Address) => Promise<PoolerEntry>) {
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

export type Bench = Awaited<ReturnType<typeof bench>>;

const addressOf = ({ host, port }: LoggedCluster): { host: string; port: number } => ({ host, port });

export async function fenced({ switching, journal }: Pick<Bench, 'switching' | 'journal'>): Promise<Switching> {
  const done = await fence(switching, journal.attempt('fence'));
  return { ...switching, recovery: { ...switching.recovery, switched: { ...switching.recovery.switched, fenced: done } } };
}

/** Done by a superuser, and taken back at the end. */
export async function given(side: LoggedCluster, sql: string, back: string): Promise<void> {
  await inDatabase(side, 'postgres', sql);
  onTestFinished(async () => await inDatabase(side, 'postgres', back));
}
