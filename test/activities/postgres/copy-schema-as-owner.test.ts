import type pg from 'pg';
import { expect, test, vi } from 'vitest';
import { copySchema, removeSchema } from '../../../activities/postgres/copy-schema.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { ordinaryRoles } from '../replication/ordinary-roles.ts';
import { connect, undecided, world } from '../support.ts';
import { look, tools } from './look.ts';

vi.setConfig({ testTimeout: 30_000 });
// The file is left out where there is none.
const place = ordinaryRoles({ bin: postgres15 ?? '/nowhere' });

/** The owner's MAINTAIN (m) came with 17. */
const owned = `SELECT c.relname, c.relkind, pg_get_userbyid(c.relowner) AS owner, replace(c.relacl::text, 'Dxtm', 'Dxt') AS acl, c.relrowsecurity, c.relforcerowsecurity
                 FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`;

test('as no superuser: the schema of a PostgreSQL 15 is made for its owners, taken back exactly, and made again', async () => {
  const { bench, sides, journal } = await place.begin({ way: 'copy' });
  const inside = async (side: 'source' | 'target', act: (client: pg.Client) => Promise<unknown>): Promise<unknown> => {
    const client = await connect(place.pair[side], bench.dbname);
    try {
      return await act(client);
    } finally {
      await client.end();
    }
  };
  const rows = async (client: pg.Client): Promise<unknown> => (await client.query(owned)).rows;
  expect((await look(bench, { way: 'copy' })).failure?.message).toBeUndefined();
  const empty = await inside('target', world);

  const copied = await copySchema(sides, tools, journal.attempt('copy-schema'));
  expect(await inside('target', rows)).toEqual(await inside('source', rows));
  // A second attempt finds what the first one made.
  expect(await copySchema(sides, tools, journal.attempt('copy-schema'))).toEqual(copied);

  await removeSchema(sides, undecided, journal.attempt('copy-schema', { undo: true }));
  expect(await inside('target', world)).toEqual(empty);
  await copySchema(sides, tools, journal.attempt('copy-schema', { generation: 2 }));
  expect(await inside('target', rows)).toEqual(await inside('source', rows));
});
