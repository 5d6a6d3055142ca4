import { qualified, quoteIdentifier, type Command } from '../../domain/command.ts';
import { following, joined, list, live, missingTables, refers, stored, tablesInUse } from './aside-commands.ts';
import { asideOf } from './definitions.ts';
import type { CopyFacts, Reference, TableInUse } from './facts.ts';

/**
 * Rows that follow a row that is left out: when keys were used again, the row in use that has the parent's key may be another one
 * altogether, and what hung on the old one must not be hung on it. They are taken out of the side schema before the rest comes back,
 * into a list of their own. Rows whose own key is taken stay aside, to be held against those in use.
 */
export function leaveFollowing(facts: CopyFacts, table: TableInUse): Command[] {
  if (!mayFollow(facts, table)) return [];
  const side = asideOf(facts).place(table);
  const follows = otherParents(facts, table).map(({ one, parent }) =>
    leftOut(facts, { one, parent, before: isBefore(facts, parent, table) }),
  );
  const own = ownReferences(table);
  const found = own.length === 0 ? unlessThere(table, side, either(follows)) : tree(table, side, { follows, own });
  return [
    live(`CREATE TABLE ${following(facts, table)} (LIKE ${side})`),
    live(`WITH ${found} INSERT INTO ${following(facts, table)} SELECT * FROM gone`),
  ];
}

/** Of a table that has chosen parents: how many follow. Absent for the others. */
export const countFollowing = (facts: CopyFacts, table: TableInUse): string =>
  mayFollow(facts, table) ? `(SELECT count(*) FROM ${following(facts, table)})` : '0';

/** Their keys. */
export function followingRows(facts: CopyFacts, table: TableInUse): Command[] {
  if (!mayFollow(facts, table)) return [];
  const key = `concat_ws(', ', ${table.key.map((one) => `s.${quoteIdentifier(one.name)}::text`).join(', ')})`;
  return [live(`SELECT ${key} AS key FROM ${following(facts, table)} s ORDER BY ${list(table.key)} LIMIT 20`)];
}

const mayFollow = (facts: CopyFacts, table: TableInUse): boolean =>
  ownReferences(table).length > 0 || otherParents(facts, table).length > 0;

/** What people should read before they agree. */
export function followingNotes(facts: CopyFacts): string[] {
  const parents = tablesInUse(facts);
  return missingTables(facts).flatMap((table) => {
    const named = parents.filter((one) =>
      table.definition.foreignKeys.some((key) =>
        [qualified(one), one.root].some((name) => key.definition.includes(` REFERENCES ${name}(`)),
      ),
    );
    if (named.length === 0) return [];
    const which = [...new Set(named.map((one) => one.root ?? qualified(one)))].join(', ');
    return [
      `${qualified(table)} comes back with all of its rows, also those that refer to rows of ${which} that are left out since others have their keys`,
    ];
  });
}

const ownReferences = (table: TableInUse): Reference[] =>
  table.references.filter((one) => one.schema === table.schema && one.table === table.name);

interface Parent {
  readonly one: Reference;
  readonly parent: TableInUse;
}

/** A key to a partitioned table is one to all of its partitions. */
function otherParents(facts: CopyFacts, table: TableInUse): Parent[] {
  return table.references.flatMap((one) => {
    const name = qualified({ schema: one.schema, name: one.table });
    return tablesInUse(facts)
      .filter((other) => other !== table && (qualified(other) === name || other.root === name))
      .map((parent) => ({ one, parent }));
  });
}

const isBefore = (facts: CopyFacts, one: TableInUse, other: TableInUse): boolean =>
  tablesInUse(facts).indexOf(one) < tablesInUse(facts).indexOf(other);

/**
 * Whether the row `s` refers to one that is left out. Parents that are back already: the row in use isn't the same, or there is
 * none. Those that come later, in a circle: another one has its key.
 */
function leftOut(facts: CopyFacts, { one, parent, before }: Parent & { readonly before: boolean }): string {
  const side = asideOf(facts).place(parent);
  if (!before) return `EXISTS (SELECT FROM ${side} p WHERE ${refers(one, 'p', 's')} AND ${isThere(parent, 'p', 'differs')})`;
  const left = `EXISTS (SELECT FROM ${side} p WHERE ${refers(one, 'p', 's')} AND NOT ${isThere(parent, 'p', 'same')})`;
  if (!mayFollow(facts, parent)) return left;
  return `${left} OR EXISTS (SELECT FROM ${following(facts, parent)} p WHERE ${refers(one, 'p', 's')})`;
}

/** Whether the table in use has a row of this one's key. */
function isThere(table: TableInUse, of: string, as?: 'same' | 'differs'): string {
  const row = (whose: string): string =>
    `ROW(${stored(table)
      .map((one) => `${whose}.${quoteIdentifier(one.name)}`)
      .join(', ')})::text`;
  const equal = as === undefined ? '' : ` AND ${row('l')} ${as === 'same' ? '=' : '<>'} ${row(of)}`;
  return `EXISTS (SELECT FROM ${qualified(table)} l WHERE ${joined(table.key, 'l', of)}${equal})`;
}

const either = (conditions: readonly string[]): string => (conditions.length === 0 ? 'false' : `(${conditions.join(' OR ')})`);

const unlessThere = (table: TableInUse, side: string, follows: string): string =>
  `gone AS (DELETE FROM ${side} s WHERE ${follows} AND NOT ${isThere(table, 's')} RETURNING s.*)`;

/** Rows of a table that refers to itself follow each other, from those that differ, or follow others, on. */
function tree(table: TableInUse, side: string, { follows, own }: { follows: readonly string[]; own: readonly Reference[] }): string {
  const key = table.key.map((one) => `s.${quoteIdentifier(one.name)}`).join(', ');
  const next = either(own.map((one) => refers(one, 'p', 's')));
  return (
    `RECURSIVE left_out AS (SELECT ${key} FROM ${side} s WHERE ${isThere(table, 's', 'differs')} OR ${either(follows)} AND NOT ${isThere(table, 's')}` +
    ` UNION SELECT ${key} FROM left_out o JOIN ${side} p ON ${joined(table.key, 'p', 'o')} JOIN ${side} s ON ${next} WHERE NOT ${isThere(table, 's')}),` +
    ` gone AS (DELETE FROM ${side} s USING left_out o WHERE ${joined(table.key, 's', 'o')} AND NOT ${isThere(table, 's')} RETURNING s.*)`
  );
}
