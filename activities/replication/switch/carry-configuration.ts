import { qualified } from '../../../domain/command.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Session } from '../../postgres/session.ts';
import type { Migration } from '../contract.ts';
import {
  carriedConfiguration,
  announceEmptied,
  emptyConfiguration,
  readConfiguration,
  writeConfiguration,
} from '../configuration-commands.ts';
import type { ConfigurationTable, MigrationFacts } from '../facts.ts';
import type { Sessions } from './sessions.ts';

/**
 * The users' rows of the extensions' configuration tables, in one transaction on the target, once nobody writes any more. Not earlier:
 * they change until then, and a scheduler on the target would begin with its jobs. The rows of an earlier attempt are replaced.
 * Triggers fire as for a client, since extensions notice new rows by them. Returns how many rows there are.
 */
export async function carryConfiguration({ source, target }: Sessions, migration: Migration, facts: MigrationFacts): Promise<number> {
  return await inOne(
    target.change,
    'COMMIT',
    async () => await write(source.look, target.change, carriedConfiguration(migration, facts), facts),
  );
}

/** The same before anything is held up, and taken back: what the target does not take is found out now. */
export async function tryConfiguration({ source, target }: Sessions, migration: Migration, facts: MigrationFacts): Promise<void> {
  await inOne(
    target.change,
    'ROLLBACK',
    async () => await write(source.look, target.change, carriedConfiguration(migration, facts), facts),
  );
}

/** What a given-up switch has carried is gone again. Harmless when it had carried nothing. */
export async function uncarryConfiguration(target: Session, migration: Migration, facts: MigrationFacts): Promise<void> {
  const tables = carriedConfiguration(migration, facts);
  if (tables.length > 0) await inOne(target, 'COMMIT', async () => await empty(target, tables, facts));
}

/** Those with rows on the target that the run has not brought there: they would be replaced. */
export async function filledConfiguration(target: Session, tables: readonly ConfigurationTable[]): Promise<string[]> {
  const filled: string[] = [];
  for (const table of tables) {
    if ((await target.query(`SELECT FROM ONLY ${qualified(table)} ${table.condition} LIMIT 1`)).length > 0)
      filled.push(`${table.schema}.${table.name}`);
  }
  return filled;
}

async function write(source: Session, target: Session, tables: readonly ConfigurationTable[], facts: MigrationFacts): Promise<number> {
  await empty(target, tables, facts);
  let rows = 0;
  for (const table of tables) {
    const sent = await target.copyIn(writeConfiguration(table), {}, source.copyOut(readConfiguration(table)));
    await refuseFewer(target, table, sent);
    rows += sent;
  }
  return rows;
}

/**
 * In replica mode: a foreign key of the application's with ON DELETE CASCADE would take replicated rows along. Without the right to say
 * so preflight has seen to it that there is none.
 */
async function empty(target: Session, tables: readonly ConfigurationTable[], facts: MigrationFacts): Promise<void> {
  const { superuser } = facts.binding.target;
  if (superuser) await target.query('SET LOCAL session_replication_role = replica');
  for (const table of tables.toReversed()) await target.run(emptyConfiguration(table));
  if (superuser) await target.query('SET LOCAL session_replication_role = origin');
  for (const table of tables) await target.run(announceEmptied(table));
}

/** A trigger of the extension's may pass over a row without an error. */
async function refuseFewer(target: Session, table: ConfigurationTable, sent: number): Promise<void> {
  const [row] = await target.query<{ count: string }>(`SELECT count(*)::text AS count FROM ONLY ${qualified(table)} ${table.condition}`);
  if (Number(row?.count) === sent) return;
  const name = `${table.schema}.${table.name}`;
  throw new Failure('objects-differ', `the target took ${row?.count ?? 0} of the ${sent} rows of ${name}, a table of ${table.extension}`, {
    table: name,
  });
}

async function inOne<Result>(target: Session, ends: 'COMMIT' | 'ROLLBACK', act: () => Promise<Result>): Promise<Result> {
  await target.query('BEGIN');
  try {
    const result = await act();
    await target.query('SET CONSTRAINTS ALL IMMEDIATE');
    await target.query(ends);
    return result;
  } catch (error) {
    // When the connection is gone the server has rolled back by itself.
    await target.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
