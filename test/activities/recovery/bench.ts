import type pg from 'pg';
import type { ChosenTable, CopyBack } from '../../../activities/recovery/contract.ts';
import { copyAside } from '../../../activities/recovery/copy-aside.ts';
import type { Copying, Places } from '../../../activities/recovery/places.ts';
import { takeCopyFacts } from '../../../activities/recovery/take-copy-facts.ts';
import { createServers } from '../../../activities/postgres/session.ts';
import { quoteIdentifier } from '../../../domain/command.ts';
import type { DatabaseEntry } from '../../../domain/inventory.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { connect, inDatabase, type Pair } from '../support.ts';

/** A database in use on the target's server, and a copy of it as it was on the source's. */
export interface RecoveryBench extends Places {
  readonly live: pg.Client;
  readonly restored: pg.Client;
  readonly dbname: string;
  /** Takes the facts of a copy now. */
  choose(...tables: ChosenTable[]): Promise<Copying>;
  end(): Promise<void>;
}

let number = 0;

/** `schema` with its rows is on both, `since` is what happened to the one in use. `user`: who Steadyhand is there, default the superuser. */
export async function recoveryBench(pair: Pair, { schema = '', since = '', user = '' }): Promise<RecoveryBench> {
  const dbname = `recovery_${++number}`;
  for (const side of [pair.source, pair.target]) await inDatabase(side, 'postgres', `CREATE DATABASE ${quoteIdentifier(dbname)}`);
  const [restored, live] = [await connect(pair.source, dbname), await connect(pair.target, dbname)];
  for (const client of [restored, live]) await client.query(schema);
  await live.query(since);
  const { host, port } = pair.target;
  const server = { host, port, dbname, user: user || pair.target.superuser, secret: { env: 'LIVE' }, sslmode: 'disable' } as const;
  const entry: DatabaseEntry = { provider: 'streaming', owners: 'dba', policy: 'default', server };
  const inventory = { version: 1 as const, people: [], databases: { orders: entry }, policies: {} };
  const secrets = { LIVE: user === '' ? pair.target.password : 'secret', RESTORED: pair.source.password, PLAIN: 'secret' };
  const servers = createServers(() => inventory, secrets);
  const place = { host: pair.source.host, port: pair.source.port, user: pair.source.superuser, secret: { env: 'RESTORED' } };
  const recovery: CopyBack = { database: 'orders', restored: place, facts: 'the digest' };
  return {
    ...{ servers, recovery, live, restored, dbname },
    choose: async (...tables) => ({ servers, recovery, facts: (await takeCopyFacts(servers, recovery, tables)).binding }),
    end: async () => {
      await Promise.all([live.end(), restored.end()]);
    },
  };
}

/** The chosen tables aside; what it told, and the journal of the run. */
export async function aside(bench: RecoveryBench, ...tables: ChosenTable[]) {
  const copying = await bench.choose(...tables);
  const journal: Journal = createJournal();
  const told = await copyAside(copying, journal.attempt('copy-aside'));
  return { copying, journal, told };
}

/** The rows of a query as its first column. */
export async function values(client: pg.Client, sql: string): Promise<unknown[]> {
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
  return rows.map((row) => row[0]);
}
