import { qualified, quoteIdentifier, quoteLiteral, type Command } from '../../domain/command.ts';
import {
  added,
  holdsRows,
  isReferredTo,
  joined,
  list,
  live,
  missingTables,
  place,
  refers,
  rowsOf,
  stored,
  tablesInUse,
  whole,
} from './aside-commands.ts';
import type { CopyBack } from './contract.ts';
import { addForeignKey, asideOf, makeSchema, placeTable, placeType, validateForeignKey } from './definitions.ts';
import { countFollowing, followingNotes, followingRows, leaveFollowing } from './following-commands.ts';
import type { CopyFacts, CopyTable, Reference, TableInUse } from './facts.ts';

/** Made first: a second attempt waits here for the first one's end, and then sees what it did. */
export const beginBringing = live(
  'CREATE TABLE :"tag_journal".brought_back (place int PRIMARY KEY, added bigint NOT NULL, same bigint NOT NULL, differing bigint NOT NULL,' +
    ' taken bigint NOT NULL, following bigint NOT NULL, overwritten bigint, xid text NOT NULL DEFAULT (txid_current() & 4294967295)::text)',
);

/** A table that is missing is moved, not copied again. */
export function placeMissing(facts: CopyFacts): Command[] {
  const aside = asideOf(facts);
  return [
    ...facts.schemas.flatMap(makeSchema),
    ...facts.types.flatMap((one) => placeType(one, aside)),
    ...missingTables(facts).flatMap((one) => placeTable(one, aside)),
    ...missingTables(facts).map(
      (one) =>
        `INSERT INTO :"tag_journal".brought_back SELECT place, rows, 0, 0, 0, 0, 0 FROM :"tag_journal".copied WHERE place = ${place(facts, one)}`,
    ),
  ].map((text) => live(text));
}

interface KeyBack {
  readonly table: { readonly schema: string; readonly name: string };
  readonly key: { readonly name: string; readonly definition: string };
  readonly valid: 'at once' | 'afterwards';
}

export function addForeignKeys(facts: CopyFacts): Command[] {
  return eachForeignKey(facts).map(({ table, key, valid }) => live(addForeignKey(table, key, valid)));
}

/** Before PostgreSQL 18 a partitioned table has no foreign keys that are validated later. */
function eachForeignKey(facts: CopyFacts): KeyBack[] {
  const when = (partitioned: boolean): KeyBack['valid'] => (partitioned && facts.live.version < 180_000 ? 'at once' : 'afterwards');
  return [
    ...missingTables(facts).flatMap((table) =>
      table.definition.foreignKeys.map((key) => ({ table, key, valid: when(table.definition.kind === 'partitioned') })),
    ),
    ...facts.inbound.map((key) => ({ table: { schema: key.schema, name: key.table }, key, valid: when(key.partitioned) })),
  ];
}

/** Each in a transaction of its own, after the rows are back. */
export function validateForeignKeys(facts: CopyFacts): Command[] {
  return eachForeignKey(facts)
    .filter(({ valid }) => valid === 'afterwards')
    .map(({ table, key }) => live(validateForeignKey(table, key), 'afterwards'));
}

/**
 * The rows that are not there; no row that is there is touched. Triggers don't fire: by the session's role, which switches off the
 * server's own check of references too, so it is made by hand under the lock that the server would take; else by name, which holds
 * up other writes of the table until the end.
 */
export interface BringRows {
  readonly before: readonly Command[];
  readonly insert: Command;
  readonly references: readonly { readonly name: string; readonly lock: Command; readonly count: Command }[];
  /** Right after the rows: the role fires triggers again. */
  readonly after: readonly Command[];
  readonly note: Command;
  /** When all rows are there and `checkDeferred` has run: the server alters no table whose rows it has still to check. */
  readonly release: readonly Command[];
}

/** The server checks references that may be checked later when all rows are there, so tables may refer to each other in a circle. */
export const deferReferences = live('SET CONSTRAINTS ALL DEFERRED');
/** Checks what has waited, so a reference that leads nowhere is not found by the commit alone; and lets tables be altered. */
export const checkDeferred = live('SET CONSTRAINTS ALL IMMEDIATE');

export function bringRows(facts: CopyFacts, table: TableInUse): BringRows {
  const aside = asideOf(facts);
  const [name, side, tags] = [qualified(table), aside.place(table), added(facts, table)];
  const byRole = passesByRole(facts, table);
  const switched = (word: (enabled: string) => string): Command[] =>
    table.triggers.map((one) => live(`ALTER TABLE ${name} ${word(one.enabled)} TRIGGER ${quoteIdentifier(one.name)}`));
  const key = list(table.key);
  const columns = list(stored(table));
  return {
    before: [
      ...leaveFollowing(facts, table),
      live(`CREATE TABLE ${tags} AS SELECT ${key} FROM ${side} WITH NO DATA`),
      ...(byRole ? [live('SET LOCAL session_replication_role = replica')] : switched(() => 'DISABLE')),
    ],
    insert: live(
      `WITH added AS (INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${side}` +
        ` ON CONFLICT DO NOTHING RETURNING ${key}) INSERT INTO ${tags} SELECT * FROM added`,
    ),
    references: byRole ? table.references.map((one) => checkReference(one, table, { side, tags })) : [],
    after: byRole ? [live('SET LOCAL session_replication_role = origin')] : [],
    release: byRole ? [] : switched((enabled) => (enabled === 'A' ? 'ENABLE ALWAYS' : 'ENABLE')),
    note: live(
      `INSERT INTO :"tag_journal".brought_back SELECT ${place(facts, table)}, count(*) FILTER (WHERE new), count(*) FILTER (WHERE NOT new AND same),` +
        ` count(*) FILTER (WHERE NOT new AND NOT same), count(*) FILTER (WHERE NOT new AND same IS NULL), ${countFollowing(facts, table)}, ${changedHere(name)} FROM (${compared(facts, table)}) c`,
    ),
  };
}

/** What the server itself counts of this transaction: rows that it changed or removed. null where it does not count. */
const changedHere = (name: string): string =>
  `(SELECT n_tup_upd + n_tup_del FROM pg_stat_xact_all_tables WHERE relid = ${quoteLiteral(name)}::regclass AND current_setting('track_counts')::boolean)`;

/** Triggers that are set to fire always do so in every role. */
const passesByRole = (facts: CopyFacts, table: TableInUse): boolean =>
  facts.replicaRole && (table.triggers.length > 0 || refersAhead(facts, table)) && table.triggers.every((one) => one.enabled !== 'A');

/** To rows that come only after its own: tables that refer to each other in a circle. The server would refuse the first of them. */
function refersAhead(facts: CopyFacts, table: TableInUse): boolean {
  const later = tablesInUse(facts).slice(tablesInUse(facts).indexOf(table) + 1);
  return table.references.some((one) => one.deferrable !== true && later.some((other) => isReferredTo(one, other)));
}

/** What people should read before they agree, a line each. */
export function notes(facts: CopyFacts): string[] {
  const held = tablesInUse(facts).filter((one) => one.triggers.length > 0 && !passesByRole(facts, one));
  return [
    ...held.map((one) => {
      const why = facts.replicaRole ? 'one of them is set to fire always' : 'this role may not set session_replication_role';
      return `the triggers of ${qualified(one)} are switched off by name (${why}): others can't write to it until the rows are back`;
    }),
    ...tablesInUse(facts)
      .filter((one) => refersAhead(facts, one) && !passesByRole(facts, one))
      .map((one) => `${qualified(one)} and others refer to each other in a circle, which needs the right to set session_replication_role`),
    ...tablesInUse(facts).flatMap((one) =>
      one.dropped.map(
        (column) => `the values of ${qualified(one)}.${quoteIdentifier(column)} don't come back: the column is not there any more`,
      ),
    ),
    ...eachForeignKey(facts)
      .filter(({ valid }) => valid === 'at once')
      .map(
        ({ table, key }) =>
          `the foreign key ${quoteIdentifier(key.name)} of ${qualified(table)} is checked as it comes back, since the table is partitioned:` +
          ` others can't write to the two tables meanwhile, and rows that break it stop the step`,
      ),
    ...tablesInUse(facts).flatMap(({ computed = [], ...one }) =>
      computed.map(
        (column) =>
          `${qualified(one)}.${quoteIdentifier(column)} is generated now: it has what its expression says, not its values of the moment`,
      ),
    ),
    ...followingNotes(facts),
    ...facts.notMade.map((one) => `the ${one} hung on a table that is missing; it is not made again`),
    ...(facts.sequences.length > 0 ? ['sequences only go forward, and stay there when the rows are taken out again'] : []),
  ];
}

/** Each row aside: whether it was added, and whether the one of its key in the table in use is the same; null when there is none. */
function compared(facts: CopyFacts, table: TableInUse): string {
  const [side, tags] = [asideOf(facts).place(table), added(facts, table)];
  const row = (of: string): string =>
    `ROW(${stored(table)
      .map((one) => `${of}.${quoteIdentifier(one.name)}`)
      .join(', ')})::text`;
  const first = quoteIdentifier(table.key[0]?.name ?? '');
  return (
    `SELECT ${keyText(table, 's')} AS key, a.${first} IS NOT NULL AS new, CASE WHEN l.${first} IS NOT NULL THEN ${row('s')} = ${row('l')} END AS same` +
    ` FROM ${side} s LEFT JOIN ${tags} a ON ${joined(table.key, 'a', 's')} LEFT JOIN ${rowsOf(table)} l ON ${joined(table.key, 'l', 's')}`
  );
}

const keyText = (table: TableInUse, of: string): string =>
  `concat_ws(', ', ${table.key.map((one) => `${of}.${quoteIdentifier(one.name)}::text`).join(', ')})`;

/** Of each table: rows that were copied aside, and those that were added or left out for a reason, all in one transaction: later writes don't count. */
export const accountedFor = live(
  'SELECT place, c.rows::text AS copied, (b.added + b.same + b.differing + b.taken + b.following)::text AS rows' +
    ' FROM :"tag_journal".copied c JOIN :"tag_journal".brought_back b USING (place)',
);

/** Of a table that was copied as a whole. */
export const countChosen = (table: CopyTable): Command => ({
  on: 'restored',
  kind: 'sql',
  text: `SELECT count(*)::text AS rows FROM ONLY ${qualified(table)}${table.where === null ? '' : ` WHERE (${table.where})`}`,
});

/** Keys of rows that were left out since another one of their key is there. */
export const differingRows = (facts: CopyFacts, table: TableInUse): Command =>
  live(`SELECT key FROM (${compared(facts, table)}) c WHERE NOT new AND NOT same ORDER BY key LIMIT 20`);

export const countBack = live(
  'SELECT coalesce(sum(added), 0)::text AS added, coalesce(sum(same), 0)::text AS same, coalesce(sum(differing), 0)::text AS differing,' +
    ' coalesce(sum(taken), 0)::text AS taken, coalesce(sum(following), 0)::text AS following, CASE WHEN count(*) = count(overwritten) THEN coalesce(sum(overwritten), 0)::text END AS overwritten FROM :"tag_journal".brought_back',
);

function checkReference(
  one: Reference,
  table: TableInUse,
  { side, tags }: { side: string; tags: string },
): BringRows['references'][number] {
  const parent = qualified({ schema: one.schema, name: one.table });
  const rows = `${side} s JOIN ${tags} a ON ${joined(table.key, 'a', 's')}`;
  return {
    name: one.name,
    lock: live(
      `SELECT count(*) FROM (SELECT FROM ${parent} p WHERE EXISTS (SELECT FROM ${rows} WHERE ${refers(one, 'p', 's')}) FOR KEY SHARE OF p) held`,
    ),
    count: live(
      `SELECT count(*)::text AS rows FROM ${rows} WHERE ${whole(one, 's')} AND NOT EXISTS (SELECT FROM ${parent} p WHERE ${refers(one, 'p', 's')})`,
    ),
  };
}

/** The lock keeps others from taking a number in between; saying the size of its cache once more changes nothing. */
export const moveForward = (facts: CopyFacts): Command[] =>
  facts.sequences.flatMap((one) => {
    const ahead = one.increment.startsWith('-') ? '>' : '<';
    const name = qualified(one);
    const isBehind = `last_value ${ahead} ${one.value} OR (last_value = ${one.value} AND NOT is_called)`;
    return [
      live(`ALTER SEQUENCE ${name} CACHE ${one.cache}`),
      live(`SELECT setval(${quoteLiteral(name)}::regclass, ${one.value}) FROM ${name} WHERE ${isBehind}`),
    ];
  });

export function compareAfter(_copy: CopyBack, facts: CopyFacts): Command[] {
  return [countBack, accountedFor, ...facts.tables.filter((one) => holdsRows(one) && one.where === null).map(countChosen)];
}

export function bringBack(_copy: CopyBack, facts: CopyFacts): Command[] {
  const tables = tablesInUse(facts).map((table) => bringRows(facts, table));
  return [
    beginBringing,
    ...placeMissing(facts),
    deferReferences,
    ...tables.flatMap(({ before, insert, after, note }) => [...before, insert, ...after, note]),
    ...tables.flatMap(({ references }) => references.flatMap((one) => [one.lock, one.count])),
    checkDeferred,
    ...tables.flatMap(({ release }) => release),
    ...addForeignKeys(facts),
    ...moveForward(facts),
    ...validateForeignKeys(facts),
    countBack,
    ...tablesInUse(facts).flatMap((table) => [differingRows(facts, table), ...followingRows(facts, table)]),
  ];
}
