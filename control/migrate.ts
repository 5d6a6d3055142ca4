import pg from 'pg';
import { Failure } from '../domain/failure.ts';
import { addressOf, limits, trustedBy, withoutJit } from './db.ts';
import { controlFailure } from './failure.ts';
import { readMigrations, type Migration } from './migrations.ts';

export interface MigrateOptions {
  /** With the owner's role, which needs CREATE on the database, and CREATEROLE for the first time. */
  readonly connectionString: string;
  readonly password?: string;
  /** The login role of api and workers. It must exist and be another than the owner, without a superuser's rights. */
  readonly application?: string;
}

/**
 * Brings the control database to the schema of this program and gives the application's role its rights. Returns the names of
 * the migrations that were applied now; a second call applies none. Several at once wait for each other. Throws
 * `configuration-invalid` when an applied file was changed or is missing here (then the program is older than the database), or
 * when the application's role is missing or could act as the owner.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const client = new pg.Client({
    connectionString: addressOf(options),
    application_name: 'steadyhand migrate',
    connectionTimeoutMillis: limits.connect,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await withoutJit(client);
    // Until this session ends. Another migration that is at work is waited for.
    await client.query('SELECT pg_advisory_lock(1937006945, 2)');
    await checkApplication(client, options.application ?? 'steadyhand_app');
    const applied = await applyMissing(client, await readMigrations());
    await admitApplication(client, options.application ?? 'steadyhand_app');
    return { applied };
  } catch (error) {
    throw controlFailure(error, trustedBy(options.connectionString));
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[]): Promise<string[]> {
  await client.query('CREATE SCHEMA IF NOT EXISTS steadyhand');
  await client.query(
    'CREATE TABLE IF NOT EXISTS steadyhand.migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const rows = await client.query<{ name: string; checksum: string }>('SELECT name, checksum FROM steadyhand.migrations');
  const known = new Map(rows.rows.map((row) => [row.name, row.checksum]));
  compare(known, migrations);
  const missing = migrations.filter((one) => !known.has(one.name));
  for (const one of missing) await apply(client, one);
  return missing.map((one) => one.name);
}

/** What was applied must be what is here: a changed file would leave two databases of one version that differ. */
function compare(known: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const here = new Map(migrations.map((one) => [one.name, one.checksum]));
  for (const [name, checksum] of known) {
    if (!here.has(name)) {
      throw new Failure(
        'configuration-invalid',
        `the control database has the migration ${name}, which this program does not: use the newer program`,
        { migration: name },
      );
    }
    if (here.get(name) !== checksum) {
      throw new Failure(
        'configuration-invalid',
        `the migration ${name} was changed after it was applied: put the file back and write a new one`,
        { migration: name },
      );
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(migration.text);
    await client.query('INSERT INTO steadyhand.migrations (name, checksum) VALUES ($1, $2)', [migration.name, migration.checksum]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    const failure = controlFailure(error);
    throw new Failure(
      failure.code,
      `the migration ${migration.name} was not applied: ${failure.message}`,
      { ...failure.facts, migration: migration.name },
      error,
    );
  }
}

/** Whoever can act as the owner can take the triggers off the audit, so the application may not. */
async function checkApplication(client: pg.Client, application: string): Promise<void> {
  const found = await client.query<{ owner: boolean }>(
    "SELECT pg_has_role(oid, current_user, 'MEMBER') AS owner FROM pg_roles WHERE rolname = $1",
    [application],
  );
  if (found.rows[0] === undefined) {
    throw new Failure(
      'configuration-invalid',
      `the role ${application} does not exist on the control database's server: create it with LOGIN`,
      { role: application },
    );
  }
  if (found.rows[0].owner) {
    throw new Failure(
      'configuration-invalid',
      `the role ${application} can act as the schema's owner: use a role of its own, no superuser`,
      { role: application },
    );
  }
}

async function admitApplication(client: pg.Client, application: string): Promise<void> {
  const member = await client.query(
    `SELECT FROM pg_auth_members m JOIN pg_roles a ON a.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
     WHERE a.rolname = $1 AND g.rolname = 'steadyhand_application'`,
    [application],
  );
  if (member.rowCount === 0) await client.query(`GRANT steadyhand_application TO ${pg.escapeIdentifier(application)}`);
}
