import { describe, expect, it } from 'vitest';
import { migrate } from '../../control/migrate.ts';
import { application, controlPlace, failureOf, owner } from './support.ts';

const place = controlPlace();

describe('migrate', () => {
  it('applies every migration once, in order', async () => {
    const connectionString = place.url(await place.empty(), owner);
    const first = await migrate({ connectionString });
    expect(first.applied[0]).toBe('0001-events.sql');
    expect(first.applied).toEqual(first.applied.toSorted());
    expect(await migrate({ connectionString })).toEqual({ applied: [] });
  });

  it('lets several at once wait for each other', async () => {
    const connectionString = place.url(await place.empty(), owner);
    const all = await Promise.all([migrate({ connectionString }), migrate({ connectionString }), migrate({ connectionString })]);
    expect(all.filter((one) => one.applied.length > 0)).toHaveLength(1);
  });

  it('refuses when a file was changed after it was applied, or is missing here', async () => {
    const database = await place.empty();
    const connectionString = place.url(database, owner);
    await migrate({ connectionString });
    const client = await place.client(database, owner);
    await client.query("UPDATE steadyhand.migrations SET checksum = 'other' WHERE name = '0002-runs.sql'");
    const changed = await failureOf('configuration-invalid', migrate({ connectionString }));
    expect(changed.message).toContain('0002-runs.sql was changed after it was applied');
    await client.query("UPDATE steadyhand.migrations SET name = '9999-later.sql' WHERE name = '0002-runs.sql'");
    const newer = await failureOf('configuration-invalid', migrate({ connectionString }));
    expect(newer.message).toContain('use the newer program');
  });

  it('refuses an application role that is missing, or that could act as the owner', async () => {
    const database = await place.empty();
    const connectionString = place.url(database, owner);
    await failureOf('configuration-invalid', migrate({ connectionString, application: 'nobody_here' }));
    await failureOf('configuration-invalid', migrate({ connectionString, application: owner }));
    await failureOf('configuration-invalid', migrate({ connectionString, application: 'postgres' }));
    const client = await place.client(database, owner);
    const schema = await client.query("SELECT FROM pg_namespace WHERE nspname = 'steadyhand'");
    expect(schema.rowCount).toBe(0);
  });

  it('gives the application no right to take anything away, and none on the schema itself', async () => {
    const { database } = await place.fresh();
    const client = await place.client(database, application);
    const rights = await client.query<{ table_name: string; privilege_type: string }>(
      "SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE table_schema = 'steadyhand'",
    );
    expect(new Set(rights.rows.map((row) => row.privilege_type))).toEqual(new Set(['SELECT', 'INSERT', 'UPDATE']));
    const wide = rights.rows.filter((row) => row.privilege_type === 'UPDATE').map((row) => row.table_name);
    expect(wide.toSorted()).toEqual(['attempts', 'evidence', 'leases', 'runs', 'steps']);
    await expect(client.query('CREATE TABLE steadyhand.mine ()')).rejects.toThrow('permission denied');
    await expect(client.query('ALTER TABLE steadyhand.events DISABLE TRIGGER ALL')).rejects.toThrow('must be owner');
  });
});
