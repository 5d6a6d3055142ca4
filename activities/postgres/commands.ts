import { qualified, type Command } from '../../domain/command.ts';
import type { Migration } from '../replication/contract.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import { dropOrder } from './drop-order.ts';
import { objectsOf } from './objects-of.ts';

const sql = (text: string): Command => ({ on: 'target', kind: 'sql', text });
/** One program and its arguments, split at the blanks; no shell reads it. */
const program = (text: string): Command => ({ on: 'worker', kind: 'shell', text });

/** `:source` and `:target` are connection strings with a password file, `:dump` a file that only the worker may read. */
export const dumpSchema = program(
  'pg_dump --schema-only --format=custom --no-publications --no-subscriptions --no-tablespaces --exclude-schema=steadyhand' +
    ' --lock-wait-timeout=10000 --no-password --file=:dump --dbname=:source',
);
export const restoreSchema = program('pg_restore --exit-on-error --single-transaction --no-password --dbname=:target :dump');

/** All or nothing: it is one transaction on the target. */
export function copySchema(_migration: Migration, _facts: MigrationFacts): Command[] {
  return [dumpSchema, restoreSchema];
}

/** What the copy makes: everything of the source that the target lacked. */
export function copiedObjects(facts: MigrationFacts): string[] {
  const there = new Set(objectsOf(facts.binding.target));
  return objectsOf(facts.binding.source).filter((one) => !there.has(one));
}

/** Never CASCADE, never a schema with something in it. Those that hang on others are tried again after them. */
export function dropObjects(objects: readonly string[]): Command[] {
  return dropOrder(objects).map(sql);
}

export function removeSchema(_migration: Migration, facts: MigrationFacts): Command[] {
  return dropObjects(copiedObjects(facts));
}

/** Partition roots by their own name: a plain ANALYZE leaves them out. */
export function analyze(_migration: Migration, facts: MigrationFacts): Command[] {
  const { materializedViews, otherObjects } = facts.binding.source;
  const prefix = 'partitioned table ';
  const roots = otherObjects.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  return [
    ...materializedViews.map((one) => sql(`REFRESH MATERIALIZED VIEW ${qualified(one)}`)),
    sql('ANALYZE'),
    ...roots.map((one) => sql(`ANALYZE ${one}`)),
  ];
}
