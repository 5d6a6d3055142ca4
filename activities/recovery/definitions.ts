import { qualified, quoteIdentifier, quoteLiteral } from '../../domain/command.ts';
import type { CopyFacts, Grant, MissingSchema, MissingTable, MissingType, Named, OwnedSequence, Policy } from './facts.ts';

/** Where things stand until they are brought back. Two schemas may have tables of one name, so each has a side schema of its own. */
export interface Aside {
  /** `:"tag"."table"`. */
  place(object: { schema: string; name: string }): string;
  /** A definition's text with what is missing named as it is called aside. */
  text(definition: string): string;
}

/** The variables of the side schemas, in the order of the schemas that have a table or type in them. */
export function sideSchemas({ tables, types }: CopyFacts): Map<string, string> {
  const schemas = [...new Set([...types, ...tables].map((one) => one.schema))];
  return new Map(schemas.map((schema, index) => [schema, index === 0 ? 'tag' : `tag_${index + 1}`]));
}

export function asideOf(facts: CopyFacts): Aside {
  const sides = sideSchemas(facts);
  const place = (object: { schema: string; name: string }): string => `:"${sides.get(object.schema)}".${quoteIdentifier(object.name)}`;
  // A blank before: after the two colons of a cast a third one would hide the variable.
  const moved = new Map(facts.types.map((one) => [qualified(one), ` ${place(one)}`]));
  return { place, text: (definition) => replaced(definition, moved) };
}

/** Names in string literals are left: they are data. */
function replaced(text: string, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return text;
  return text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"(?:\."(?:[^"]|"")*")?/g, (found) => names.get(found) ?? found);
}

/** Enums and domains that are missing, aside. */
export function makeType(type: MissingType, aside: Aside): string[] {
  const name = aside.place(type);
  if (type.values) return [`CREATE TYPE ${name} AS ENUM (${type.values.map(quoteLiteral).join(', ')})`];
  const checks = type.checks.map((one) => ` CONSTRAINT ${quoteIdentifier(one.name)} ${aside.text(one.definition)}`);
  return [`CREATE DOMAIN ${name} AS ${aside.text(type.base ?? '')}${checks.join('')}`];
}

/** A missing table as it was, aside and without rows: what its rows have to fit comes after them. */
export function makeTable(table: MissingTable, aside: Aside): string[] {
  const { definition } = table;
  const place = aside.place(table);
  const serial = definition.sequences.filter((one) => !one.identity);
  const sequence = (one: OwnedSequence): string => aside.place({ schema: table.schema, name: one.name });
  const columns = table.columns.map((column) => {
    const identity = definition.sequences.find((one) => one.identity && one.column === column.name);
    return [
      `${quoteIdentifier(column.name)} ${aside.text(column.type)}`,
      ...(column.collation === null ? [] : [`COLLATE ${column.collation}`]),
      ...(column.generated === ''
        ? []
        : [`GENERATED ALWAYS AS (${aside.text(column.expression ?? '')}) ${column.generated === 's' ? 'STORED' : 'VIRTUAL'}`]),
      ...(identity
        ? [
            `GENERATED ${column.identity === 'a' ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY (SEQUENCE NAME ${sequence(identity)} ${options(identity)})`,
          ]
        : []),
      ...(column.notNull ? ['NOT NULL'] : []),
    ].join(' ');
  });
  const partitioned = definition.partitionKey === null ? '' : ` PARTITION BY ${definition.partitionKey}`;
  const storage = definition.options === null ? '' : ` WITH (${definition.options.map(option).join(', ')})`;
  return [
    ...serial.map((one) => `CREATE SEQUENCE ${sequence(one)} AS ${one.type} ${options(one)}`),
    `CREATE ${definition.unlogged ? 'UNLOGGED ' : ''}TABLE ${place} (${columns.join(', ')})${partitioned}${storage}`,
    ...serial.map((one) => `ALTER SEQUENCE ${sequence(one)} OWNED BY ${place}.${quoteIdentifier(one.column)}`),
  ];
}

const options = (one: OwnedSequence): string =>
  `START WITH ${one.start} INCREMENT BY ${one.increment} MINVALUE ${one.min} MAXVALUE ${one.max} CACHE ${one.cache}${one.cycle ? ' CYCLE' : ''}`;

function option(text: string): string {
  const [name = '', ...value] = text.split('=');
  return `${name} = ${quoteLiteral(value.join('='))}`;
}

/** Keys, checks and indexes, when the rows are there; and the sequences as far as they had come. */
export function completeTable(table: MissingTable, aside: Aside): string[] {
  const { definition } = table;
  const place = aside.place(table);
  return [
    ...definition.constraints.map(
      (one) => `ALTER TABLE ${place} ADD CONSTRAINT ${quoteIdentifier(one.name)} ${aside.text(one.definition)}`,
    ),
    ...definition.indexes.map((one) => indexAside(table, one, aside)),
    ...definition.sequences.map((one) => {
      const sequence = aside.place({ schema: table.schema, name: one.name });
      return `SELECT setval(${literalOf(sequence)}::regclass, ${one.value}, ${one.called})`;
    }),
  ];
}

/** `:"tag"."name"` as a literal that is filled in all the same. */
function literalOf(place: string): string {
  const dot = place.indexOf('.');
  return `(quote_ident(${place.slice(0, dot).replaceAll('"', "'")}) || ${quoteLiteral(place.slice(dot))})`;
}

/** The server's own text, with the table's name after the index's exchanged. */
function indexAside(table: MissingTable, index: Named & { readonly unique: boolean }, aside: Aside): string {
  const before = `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(index.name)} ON `;
  for (const only of ['', 'ONLY ']) {
    const start = `${before}${only}${qualified(table)} `;
    if (index.definition.startsWith(start)) return `${before}${aside.place(table)} ${aside.text(index.definition.slice(start.length))}`;
  }
  throw new Error(`the definition of the index ${index.name} is not understood: ${index.definition}`);
}

export function makeSchema({ name, owner, grants }: MissingSchema): string[] {
  const place = quoteIdentifier(name);
  return [
    `CREATE SCHEMA ${place} AUTHORIZATION ${quoteIdentifier(owner)}`,
    ...grants.filter((one) => one.to !== owner).map((one) => grant(one, `SCHEMA ${place}`)),
  ];
}

export function placeType(type: MissingType, aside: Aside): string[] {
  const word = type.values === null ? 'DOMAIN' : 'TYPE';
  return [
    `ALTER ${word} ${aside.place(type)} SET SCHEMA ${quoteIdentifier(type.schema)}`,
    `ALTER ${word} ${qualified(type)} OWNER TO ${quoteIdentifier(type.owner)}`,
  ];
}

/** From aside to where it was; indexes, keys and sequences of its own go with it. Everything that names other things comes now. */
export function placeTable(table: MissingTable, aside: Aside): string[] {
  const { definition } = table;
  const name = qualified(table);
  const alter = (what: string): string => `ALTER TABLE ${name} ${what}`;
  const identity = definition.replicaIdentity;
  return [
    `ALTER TABLE ${aside.place(table)} SET SCHEMA ${quoteIdentifier(table.schema)}`,
    ...table.columns
      .filter((one) => one.generated === '' && one.expression !== null)
      .map((one) => alter(`ALTER COLUMN ${quoteIdentifier(one.name)} SET DEFAULT ${one.expression}`)),
    ...definition.parents.map((parent) =>
      definition.bound === null
        ? alter(`INHERIT ${qualified(parent)}`)
        : `ALTER TABLE ${qualified(parent)} ATTACH PARTITION ${name} ${definition.bound}`,
    ),
    ...(definition.ofType ? [alter(`OF ${definition.ofType}`)] : []),
    ...(definition.clusterIndex ? [alter(`CLUSTER ON ${quoteIdentifier(definition.clusterIndex)}`)] : []),
    ...(identity === 'n' ? [alter('REPLICA IDENTITY NOTHING')] : []),
    ...(identity === 'f' ? [alter('REPLICA IDENTITY FULL')] : []),
    ...(identity === 'i' ? [alter(`REPLICA IDENTITY USING INDEX ${quoteIdentifier(definition.identityIndex ?? '')}`)] : []),
    ...(definition.rowSecurity === 'off' ? [] : [alter('ENABLE ROW LEVEL SECURITY')]),
    ...(definition.rowSecurity === 'forced' ? [alter('FORCE ROW LEVEL SECURITY')] : []),
    ...definition.policies.map((one) => policy(one, name)),
    ...definition.statistics.map((one) => one.definition),
    ...definition.rules.map((one) => one.definition.replace(/;$/, '')),
    ...definition.triggers.flatMap((one) => trigger(one, name)),
    alter(`OWNER TO ${quoteIdentifier(definition.owner)}`),
    ...definition.grants.filter((one) => one.to !== definition.owner).map((one) => grant(one, `TABLE ${name}`)),
    ...definition.sequences.flatMap((one) => sequenceGrants(table, one)),
    ...comments(table, name),
  ];
}

/** For new rows at once; whether the rows that are there fit too is asked with it, or afterwards, without a lock that stops writes. */
export const addForeignKey = (
  table: { schema: string; name: string },
  key: { name: string; definition: string },
  valid: 'at once' | 'afterwards',
): string =>
  `ALTER TABLE ${qualified(table)} ADD CONSTRAINT ${quoteIdentifier(key.name)} ${key.definition.replace(/ NOT VALID$/, '')}` +
  (valid === 'at once' ? '' : ' NOT VALID');

export const validateForeignKey = (table: { schema: string; name: string }, key: { name: string }): string =>
  `ALTER TABLE ${qualified(table)} VALIDATE CONSTRAINT ${quoteIdentifier(key.name)}`;

function trigger(one: Named & { readonly enabled: string }, table: string): string[] {
  const state: Readonly<Record<string, string>> = { D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' };
  const set = state[one.enabled];
  return [one.definition, ...(set === undefined ? [] : [`ALTER TABLE ${table} ${set} TRIGGER ${quoteIdentifier(one.name)}`])];
}

function policy(one: Policy, table: string): string {
  const commands: Readonly<Record<string, string>> = { r: 'SELECT', a: 'INSERT', w: 'UPDATE', d: 'DELETE', '*': 'ALL' };
  const to = one.roles.length === 0 ? 'PUBLIC' : one.roles.map(quoteIdentifier).join(', ');
  return [
    `CREATE POLICY ${quoteIdentifier(one.name)} ON ${table} AS ${one.permissive ? 'PERMISSIVE' : 'RESTRICTIVE'}`,
    `FOR ${commands[one.command] ?? 'ALL'} TO ${to}`,
    ...(one.using === null ? [] : [`USING (${one.using})`]),
    ...(one.check === null ? [] : [`WITH CHECK (${one.check})`]),
  ].join(' ');
}

function grant({ to, privilege, grantable, column }: Grant, on: string): string {
  const what = column === null ? privilege : `${privilege} (${quoteIdentifier(column)})`;
  return `GRANT ${what} ON ${on} TO ${to === null ? 'PUBLIC' : quoteIdentifier(to)}${grantable ? ' WITH GRANT OPTION' : ''}`;
}

/** They went to the owner of their table with it. */
function sequenceGrants({ schema, definition }: MissingTable, { name, grants = [] }: OwnedSequence): string[] {
  return grants.filter((one) => one.to !== definition.owner).map((one) => grant(one, `SEQUENCE ${qualified({ schema, name })}`));
}

function comments(table: MissingTable, name: string): string[] {
  const { definition } = table;
  const says = (what: string, comment: string | null): string[] =>
    comment === null ? [] : [`COMMENT ON ${what} IS ${quoteLiteral(comment)}`];
  const inSchema = (one: Named): string => qualified({ schema: table.schema, name: one.name });
  const hanging = (word: string, all: readonly Named[]): string[] =>
    all.flatMap((one) => says(`${word} ${quoteIdentifier(one.name)} ON ${name}`, one.comment));
  return [
    ...says(`TABLE ${name}`, definition.comment),
    ...table.columns.flatMap((one) => says(`COLUMN ${name}.${quoteIdentifier(one.name)}`, one.comment)),
    ...hanging('CONSTRAINT', definition.constraints),
    ...hanging('TRIGGER', definition.triggers),
    ...hanging('RULE', definition.rules),
    ...definition.indexes.flatMap((one) => says(`INDEX ${inSchema(one)}`, one.comment)),
    ...definition.statistics.flatMap((one) => says(`STATISTICS ${inSchema(one)}`, one.comment)),
  ];
}
