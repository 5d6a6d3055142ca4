import { qualified, quoteIdentifier, type Command, type Values } from '../../domain/command.ts';
import { readingAs } from './condition.ts';
import type { CopyBack } from './contract.ts';
import { asideOf, completeTable, makeTable, makeType, sideSchemas } from './definitions.ts';
import type { CopyFacts, CopyTable, MissingTable, Reference, TableInUse } from './facts.ts';

/** The pure half of the copy: what its effect half executes, no more. `:tag` names everything that the run makes. */
export const live = (text: string, when?: string): Command => ({ on: 'live', kind: 'sql', text, ...(when === undefined ? {} : { when }) });

/** What `:tag` and its like stand for in a run. */
export function names(tag: string, facts: CopyFacts): Values {
  const sides = [...sideSchemas(facts).values()];
  return Object.fromEntries([...sides, 'tag_journal'].map((variable) => [variable, variable.replace(/^tag/, tag)]));
}

const isMissing = (one: CopyTable): one is MissingTable => one.live === 'missing';
const isInUse = (one: CopyTable): one is TableInUse => one.live === 'there';
export const missingTables = (facts: CopyFacts): MissingTable[] => facts.tables.filter(isMissing);
export const tablesInUse = (facts: CopyFacts): TableInUse[] => facts.tables.filter(isInUse);
/** Partitioned tables hold no rows of their own. */
export const holdsRows = (table: CopyTable): boolean => table.live === 'there' || table.definition.kind === 'table';

export const list = (columns: readonly { readonly name: string }[]): string => columns.map((one) => quoteIdentifier(one.name)).join(', ');
export const stored = (table: CopyTable): CopyTable['columns'] => table.columns.filter((one) => one.generated === '');
/** The one that the list of what was added is called by: tables of several schemas may share a name. */
export const added = (facts: CopyFacts, table: CopyTable): string => `:"tag_journal"."added_${facts.tables.indexOf(table) + 1}"`;
/** The list of rows that are left out with what they refer to. */
export const following = (facts: CopyFacts, table: CopyTable): string => `:"tag_journal"."following_${facts.tables.indexOf(table) + 1}"`;
export const place = (facts: CopyFacts, table: CopyTable): number => facts.tables.indexOf(table) + 1;

export const sideComment = 'Made by a Steadyhand run that copies tables back; it goes with the run.';

/** In one transaction, so that whoever sees the journal sees all of it. */
export function makeAside(facts: CopyFacts): Command[] {
  const aside = asideOf(facts);
  const sides = [...sideSchemas(facts).values()];
  return [
    ...['tag_journal', ...sides].flatMap((one) => [
      live(`CREATE SCHEMA :"${one}"`),
      live(`COMMENT ON SCHEMA :"${one}" IS '${sideComment}'`),
    ]),
    live('CREATE TABLE :"tag_journal".copied (place int PRIMARY KEY, rows bigint NOT NULL, bytes bigint NOT NULL, xid text NOT NULL)'),
    ...facts.types.flatMap((one) => makeType(one, aside)).map((text) => live(text)),
  ];
}

/** A table without a condition is read as it stands. */
export const readingFor = (facts: CopyFacts, table: CopyTable): Command[] => (table.where === null ? [] : readingAs(facts));

/** The rows as text: as binary, values of types that users made carry the other server's own numbers for these types. */
export function readRows(table: CopyTable): Command {
  const where = table.where === null ? '' : ` WHERE (${table.where})`;
  return { on: 'restored', kind: 'sql', text: `COPY (SELECT ${list(stored(table))} FROM ONLY ${qualified(table)}${where}) TO STDOUT` };
}

/** A table may have no column that stores anything: then its rows are empty lines, and PostgreSQL takes no empty list. */
export const writeRows = (facts: CopyFacts, table: CopyTable): Command => {
  const columns = stored(table);
  return live(`COPY ${asideOf(facts).place(table)}${columns.length === 0 ? '' : ` (${list(columns)})`} FROM STDIN`);
};

/** Before the rows, and after them; with the rows and the line in the journal one transaction for each table. */
export function copyTable(facts: CopyFacts, table: CopyTable): { before: Command[]; after: Command[] } {
  const aside = asideOf(facts);
  const name = aside.place(table);
  const statistics = holdsRows(table) ? [`ANALYZE ${name}`] : [];
  if (isMissing(table)) {
    return {
      before: makeTable(table, aside).map((text) => live(text)),
      after: [...completeTable(table, aside), ...statistics].map((text) => live(text)),
    };
  }
  const columns = stored(table).map(
    (one) => `${quoteIdentifier(one.name)} ${one.type}${one.collation === null ? '' : ` COLLATE ${one.collation}`}`,
  );
  return {
    before: [live(`CREATE TABLE ${name} (${columns.join(', ')})`)],
    after: [`ALTER TABLE ${name} ADD PRIMARY KEY (${list(table.key)})`, ...statistics].map((text) => live(text)),
  };
}

export const noteCopied = live(
  'INSERT INTO :"tag_journal".copied VALUES (:place, :rows, :bytes, (txid_current() & 4294967295)::text)',
  'for each table, in its transaction',
);

export function copyAside(_copy: CopyBack, facts: CopyFacts): Command[] {
  const one = (table: CopyTable): Command[] => {
    const { before, after } = copyTable(facts, table);
    return [...before, ...(holdsRows(table) ? [...readingFor(facts, table), readRows(table), writeRows(facts, table)] : []), ...after];
  };
  const looks = tablesInUse(facts).flatMap((table) => [
    alreadyThere(facts, table),
    ...table.references.map((reference) => orphansAside(facts, table, reference)),
  ]);
  return [...makeAside(facts), ...facts.tables.flatMap(one), noteCopied, ...looks];
}

/** Never CASCADE: what somebody else hung on it stays, and is told. What was brought back is not there any more. */
export function removeAside(_copy: CopyBack, facts: CopyFacts): Command[] {
  const aside = asideOf(facts);
  const lists = tablesInUse(facts).flatMap((one) => [added(facts, one), following(facts, one)]);
  const journal = ['copied', 'brought_back', 'taken_out'].map((one) => `:"tag_journal".${one}`);
  const sides = [...sideSchemas(facts).values(), 'tag_journal'].map((one) => `:"${one}"`);
  return [
    live(`DROP TABLE IF EXISTS ${[...facts.tables.map((one) => aside.place(one)), ...lists, ...journal].join(', ')}`),
    ...facts.types.toReversed().map((one) => live(`DROP TYPE IF EXISTS ${aside.place(one)}`)),
    live(`DROP SCHEMA IF EXISTS ${sides.join(', ')}`),
  ];
}

/** Its own rows: not those of tables that inherit from it. */
export const rowsOf = (table: TableInUse): string => `${table.partitioned ? '' : 'ONLY '}${qualified(table)}`;

export const joined = (keys: readonly { name: string; equals: string }[], one: string, other: string): string =>
  keys.map(({ name, equals }) => `${one}.${quoteIdentifier(name)} ${equals} ${other}.${quoteIdentifier(name)}`).join(' AND ');

/** What the approval wants to know: rows that will stay as they are. */
export const alreadyThere = (facts: CopyFacts, table: TableInUse): Command =>
  live(
    `SELECT count(*)::text AS rows FROM ${asideOf(facts).place(table)} s WHERE EXISTS (SELECT FROM ${rowsOf(table)} l WHERE ${joined(table.key, 'l', 's')})`,
  );

export const refers = (one: Reference, parent: string, child: string): string =>
  one.columns
    .map((column, index) => `${parent}.${quoteIdentifier(one.to[index] ?? '')} ${one.equals[index]} ${child}.${quoteIdentifier(column)}`)
    .join(' AND ');
export const whole = (one: Reference, child: string): string =>
  one.columns.map((column) => `${child}.${quoteIdentifier(column)} IS NOT NULL`).join(' AND ');

/** Also where what is referred to is a partitioned table that this one is a partition of. */
export const isReferredTo = (one: Reference, table: CopyTable): boolean =>
  [table, ...table.within].some((other) => other.schema === one.schema && other.name === one.table);

/** Rows aside that refer to nothing, neither in use nor aside. */
export function orphansAside(facts: CopyFacts, table: TableInUse, one: Reference): Command {
  const aside = asideOf(facts);
  // It is there: a foreign key in use refers to no table that is missing.
  const parents = [
    qualified({ schema: one.schema, name: one.table }),
    ...facts.tables.filter((other) => holdsRows(other) && isReferredTo(one, other)).map((other) => aside.place(other)),
  ];
  const none = parents.map((parent) => ` AND NOT EXISTS (SELECT FROM ${parent} p WHERE ${refers(one, 'p', 's')})`).join('');
  return live(`SELECT count(*)::text AS rows FROM ${aside.place(table)} s WHERE ${whole(one, 's')}${none}`);
}
