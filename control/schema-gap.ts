import type { Db } from './db.ts';
import { readMigrations } from './migrations.ts';
import type { SchemaGap } from './service-contract.ts';

/** Compares by content: a migration that was changed after it was applied counts as missing. */
export async function readSchemaGap(db: Db): Promise<SchemaGap> {
  const here = await readMigrations();
  const rows = await db.query<{ name: string; checksum: string }>('SELECT name, checksum FROM steadyhand.migrations ORDER BY name');
  const there = new Map(rows.map((row) => [row.name, row.checksum]));
  return {
    missing: here.filter(({ name, checksum }) => there.get(name) !== checksum).map(({ name }) => name),
    unknown: [...there.keys()].filter((name) => !here.some((one) => one.name === name)),
  };
}
