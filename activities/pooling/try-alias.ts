import { qualified } from '../../domain/command.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { PoolerEntry } from '../../domain/inventory.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import type { Migration } from '../replication/contract.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import { lockTables, nextAlias, takeTransactionId } from './commands.ts';
import { addAlias } from './config-file.ts';
import type { PoolingDependencies } from './dependencies.ts';
import { reloadPooler, takeAliasOut } from './remove-alias.ts';

const tryTimeoutMs = 5_000;
const verbs = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

interface Grant {
  readonly schema: string;
  readonly name: string;
  readonly verbs: readonly string[];
}

/**
 * Proves for each of the pooler's users that writes will work on the new side: login through the pooler, the same table
 * privileges as on the old side, the locks of a write and a transaction id, rolled back. Throws `login-refused`,
 * `privilege-missing`, `unreachable` or `pooler-failed`, naming the user and what was refused; the alias is removed before.
 * Repeats safely. The target must not be closed yet; what was proved under this key stands, so after a reset to before this step,
 * when the run itself has closed the target, nobody is tried again.
 */
export async function tryAlias(deps: PoolingDependencies, migration: Migration, attempt: Attempt): Promise<{ users: number }> {
  const { servers } = deps;
  const { pooler } = servers.entry(migration.source);
  if (!pooler) return { users: 0 };
  const proved = await wasProved(deps, attempt);
  await attempt.intend({ alias: nextAlias(pooler.alias) });
  if (proved) {
    await attempt.settle('adopted');
    return { users: pooler.users.length };
  }
  const facts = await deps.facts(migration.facts);
  await attempt.current();
  try {
    await addAlias(pooler.configFile, nextAlias(pooler.alias), pooler.alias, facts.binding.target);
    await reloadPooler(servers, pooler);
    for (const [index, user] of pooler.users.entries()) {
      attempt.signal.throwIfAborted();
      attempt.progress({ summary: `trying ${user.name} (${index + 1} of ${pooler.users.length})`, fraction: index / pooler.users.length });
      await tryUser(deps, { migration, facts, pooler, user, step: attempt.step });
    }
  } finally {
    await takeAliasOut(servers, pooler);
  }
  await attempt.settle('made');
  return { users: pooler.users.length };
}

/** By an attempt before this one at the same key. */
async function wasProved({ journal }: PoolingDependencies, { run, key }: Attempt): Promise<boolean> {
  return (await journal(run)).some((one) => one.key === key && one.outcome !== null);
}

interface Trial {
  readonly migration: Migration;
  readonly facts: MigrationFacts;
  readonly pooler: PoolerEntry;
  readonly user: PoolerEntry['users'][number];
  readonly step: string;
}

async function tryUser(deps: PoolingDependencies, { migration, facts, pooler, user, step }: Trial): Promise<void> {
  const { tables } = facts.binding.source;
  const before = await grantsOf(deps, migration.source, user.name, tables);
  await told(user.name, 'the login through the pooler to the new side', async () => {
    const login = { at: pooler, dbname: nextAlias(pooler.alias), as: user, statementTimeout: tryTimeoutMs };
    // In a session of its own, so that the server's log shows it as a look: whether the alias leads to the plan's server.
    await (await deps.servers.open(migration.target, { ...login, purpose: 'look', identity: facts.binding.target })).end();
    const session = await deps.servers.open(migration.target, { ...login, purpose: 'change', step });
    try {
      refuseMissing(user.name, before, await grantsOf(deps, migration.target, user.name, tables));
      await writeAndRollBack(
        session,
        before.filter((grant) => grant.verbs.some((verb) => verb !== 'SELECT')),
      );
    } finally {
      await session.end();
    }
  });
}

async function writeAndRollBack(session: Session, written: readonly Grant[]): Promise<void> {
  await session.query('BEGIN');
  try {
    if (written.length > 0) await session.run(lockTables, { tables: written.map(qualified).join(', ') });
    // A standby refuses this, so it proves too that the new side takes writes.
    await session.run(takeTransactionId);
  } finally {
    await session.query('ROLLBACK');
  }
}

async function grantsOf(
  deps: PoolingDependencies,
  database: string,
  user: string,
  tables: readonly { schema: string; name: string }[],
): Promise<Grant[]> {
  const session = await deps.servers.open(database, { purpose: 'look' });
  try {
    const rows = await session.query<{ schema: string; name: string; verb: string }>(
      `SELECT t.schema, t.name, v.verb
         FROM unnest($2::text[], $3::text[]) AS t (schema, name)
         CROSS JOIN unnest($4::text[]) AS v (verb)
         JOIN pg_namespace n ON n.nspname = t.schema
         JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
        WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
          AND has_schema_privilege($1, n.oid, 'USAGE') AND has_table_privilege($1, c.oid, v.verb)`,
      [user, tables.map((one) => one.schema), tables.map((one) => one.name), verbs],
    );
    return tables
      .map((table) => ({
        schema: table.schema,
        name: table.name,
        verbs: rows.filter((row) => row.schema === table.schema && row.name === table.name).map((row) => row.verb),
      }))
      .filter((grant) => grant.verbs.length > 0);
  } finally {
    await session.end();
  }
}

function refuseMissing(user: string, before: readonly Grant[], after: readonly Grant[]): void {
  const missing = before.flatMap((grant) => {
    const now = after.find((one) => one.schema === grant.schema && one.name === grant.name)?.verbs ?? [];
    return grant.verbs.filter((verb) => !now.includes(verb)).map((verb) => `${verb} on ${grant.schema}.${grant.name}`);
  });
  if (missing.length === 0) return;
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : '';
  throw new Failure('privilege-missing', `on the new side "${user}" lacks ${missing.slice(0, 5).join(', ')}${more}`, {
    user,
    missing: missing.slice(0, 50),
  });
}

async function told(user: string, what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Failure) || error.facts.user !== undefined) throw error;
    throw new Failure(codeOf(error), `"${user}" was refused (${what}): ${error.message}`, { ...error.facts, user }, error);
  }
}

/** PgBouncer tells what the server said at its login only as a text, with a SQLSTATE of its own. */
const byText: readonly [RegExp, FailureCode][] = [
  [/permission denied/i, 'privilege-missing'],
  [/authentication failed|pg_hba|not permitted to log in|role "[^"]*" does not exist|no such user/i, 'login-refused'],
  [/too many connections for database/i, 'conflict'],
];

function codeOf(error: Failure): FailureCode {
  if (error.code !== 'unreachable') return error.code;
  return byText.find(([pattern]) => pattern.test(error.message))?.[1] ?? error.code;
}
