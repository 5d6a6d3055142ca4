import { qualified, quoteIdentifier, type Command } from '../../domain/command.ts';
import { added, joined, live, missingTables, place, refers, rowsOf, tablesInUse } from './aside-commands.ts';
import { checkDeferred } from './bring-commands.ts';
import type { CopyBack } from './contract.ts';
import type { CopyFacts, MissingTable, TableInUse } from './facts.ts';

export const beginTaking = live('CREATE TABLE :"tag_journal".taken_out (what text NOT NULL)');
export const noteLeft = live(`INSERT INTO :"tag_journal".taken_out VALUES (:'what')`, 'for what somebody has changed since, and stays');

export interface TakeRows {
  /** Nobody can change them, or refer to them, from here on. */
  readonly lock: Command;
  /** Of the added rows those that are changed, or that other rows refer to by now. */
  readonly count: Command;
  readonly before: readonly Command[];
  readonly remove: Command;
  readonly after: readonly Command[];
}

/** Only rows that are as they were added. The server goes on checking references; other triggers don't fire. */
export function takeRows(facts: CopyFacts, table: TableInUse): TakeRows {
  const [name, rows, tags] = [qualified(table), rowsOf(table), added(facts, table)];
  const since = `(SELECT xid FROM :"tag_journal".brought_back WHERE place = ${place(facts, table)})`;
  const unchanged = (of: string): string => `${of}.xmin::text = ${since}`;
  const ours = `EXISTS (SELECT FROM ${tags} a WHERE ${joined(table.key, 'a', 't')})`;
  const isOurs = `EXISTS (SELECT FROM ${tags} o WHERE ${joined(table.key, 'o', 'c')}) AND ${unchanged('c')}`;
  const free = table.referencedBy.map((one) => {
    const child = qualified({ schema: one.schema, name: one.table });
    return ` AND NOT EXISTS (SELECT FROM ${child} c WHERE ${refers(one, 't', 'c')}${child === name ? ` AND NOT (${isOurs})` : ''})`;
  });
  const deletable = `${unchanged('t')}${free.join('')}`;
  const trigger = (word: (enabled: string) => string): Command[] =>
    table.triggers.map((one) => live(`ALTER TABLE ${name} ${word(one.enabled)} TRIGGER ${quoteIdentifier(one.name)}`));
  return {
    lock: live(`SELECT count(*) FROM (SELECT FROM ${rows} t WHERE ${ours} FOR UPDATE OF t) held`),
    count: live(`SELECT count(*)::text AS rows FROM ${rows} t WHERE ${ours} AND NOT (${deletable})`),
    before: trigger(() => 'DISABLE'),
    remove: live(`DELETE FROM ${rows} t WHERE ${ours} AND ${deletable}`),
    after: [checkDeferred, ...trigger((enabled) => (enabled === 'A' ? 'ENABLE ALWAYS' : 'ENABLE'))],
  };
}

/** Rows that refer to others of their table go together or not at all, else one that stays could lose what it refers to. */
export const refersToItself = (table: TableInUse): boolean =>
  table.referencedBy.some((one) => one.schema === table.schema && one.table === table.name);

export const lockBack = (table: MissingTable): Command => live(`LOCK TABLE ONLY ${qualified(table)} IN ACCESS EXCLUSIVE MODE`);

/** Rows that came or were changed since the table is back, and those of its own that are gone. */
export const countChanged = (facts: CopyFacts, table: MissingTable): Command =>
  live(
    `SELECT abs(b.rows - count(*) FILTER (WHERE t.xmin::text = b.xid)) + count(*) FILTER (WHERE t.xmin::text <> b.xid) AS rows` +
      ` FROM :"tag_journal".copied b LEFT JOIN ONLY ${qualified(table)} t ON true WHERE b.place = ${place(facts, table)} GROUP BY b.rows, b.xid`,
  );

/** Foreign keys that came back with it, then the tables together, since they may refer to each other; never CASCADE. */
export function dropBack(facts: CopyFacts): Command[] {
  const tables = missingTables(facts);
  if (tables.length === 0) return [];
  return [
    ...facts.inbound.map((one) =>
      live(`ALTER TABLE ${qualified({ schema: one.schema, name: one.table })} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(one.name)}`),
    ),
    live(`DROP TABLE ${tables.map(qualified).join(', ')}`),
    ...facts.types.toReversed().map((one) => live(`DROP TYPE ${qualified(one)}`)),
    ...facts.schemas.map((one) => live(`DROP SCHEMA ${quoteIdentifier(one.name)}`)),
  ];
}

export function takeOut(_copy: CopyBack, facts: CopyFacts): Command[] {
  return [
    beginTaking,
    ...missingTables(facts).flatMap((one) => [lockBack(one), countChanged(facts, one)]),
    ...dropBack(facts),
    ...tablesInUse(facts)
      .toReversed()
      .flatMap((table) => {
        const { lock, count, before, remove, after } = takeRows(facts, table);
        return [lock, count, ...before, remove, ...after];
      }),
    noteLeft,
  ];
}
