import { readFile } from 'node:fs/promises';
import type pg from 'pg';

/** The schema of what `makeEveryKind` makes. */
const everyKindSchema = 'Every kind';

/**
 * Makes one of every kind of relation and index, with rows, in a schema of its own. The client's role owns the database. Two kinds
 * need a session or a transaction of their own: an index that was never finished, and a temporary table, which lasts until the
 * client's session ends.
 */
export async function makeEveryKind(client: pg.Client): Promise<void> {
  await client.query(await readFile(new URL('application/every-kind.sql', import.meta.url), 'utf8'));
  await client.query('CREATE TEMPORARY TABLE temporary (id int PRIMARY KEY, big text)');
  await client
    .query(`CREATE UNIQUE INDEX CONCURRENTLY indexed_invalid ON "${everyKindSchema}".indexed (room)`)
    .then(() => Promise.reject(new Error('an index over equal rows cannot be unique')))
    .catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === '23505')) throw error;
    });
}
