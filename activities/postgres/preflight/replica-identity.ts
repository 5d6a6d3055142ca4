import type { Session } from '../session.ts';
import { replicatedTables, type TableFacts } from '../../replication/facts.ts';
import { ownObject, userSchema } from '../user-objects.ts';
import { blocks, listed, named, warns, type Check, type Found } from './view.ts';

interface Identity {
  readonly name: string;
  /** The columns that a changed row is looked up by, sorted. Null: all of them (FULL), or none. */
  readonly columns: readonly string[] | null;
  /** Why the server cannot name the row that an UPDATE changes. Null: it can. */
  readonly because: string | null;
}

/**
 * Decided by what the server would use: `relreplident` says only what was asked for. The index that it names may be dropped,
 * invalid or deferrable, and then each UPDATE and DELETE of a published table fails on the source.
 */
export const replicaIdentities: Check = {
  name: 'replica identity',
  look: async ({ source, target, facts, migration }) => {
    const onSource = await identities(source, facts.binding.source.version);
    const found = withoutIdentity(onSource);
    if (migration.schema === 'copy') return found;
    return [...found, ...searchedOtherwise(migration.target, onSource, await identities(target, facts.binding.target.version))];
  },
};

function withoutIdentity(tables: readonly Identity[]): Found[] {
  const without = tables.filter((one) => one.because !== null).map((one) => `${one.name} (${one.because})`);
  if (without.length === 0) return [];
  return [
    blocks(
      `${listed(without, 'tables whose rows replication cannot identify')}: once published, their UPDATE and DELETE fail`,
      'Give each a primary key that is not DEFERRABLE, or ALTER TABLE … REPLICA IDENTITY USING INDEX … (a valid unique index of NOT NULL columns, none of them generated), or REPLICA IDENTITY FULL.',
    ),
  ];
}

/** The target looks a row up by its own identity, so it must get these columns from the source. */
function searchedOtherwise(target: string, onSource: readonly Identity[], onTarget: readonly Identity[]): Found[] {
  const sent = new Map(
    onSource.filter((one) => one.because === null && one.columns !== null).map((one) => [one.name, one.columns?.join(', ')]),
  );
  const differing = onTarget.filter(
    (one) => sent.has(one.name) && (one.because !== null || sent.get(one.name) !== one.columns?.join(', ')),
  );
  if (differing.length === 0) return [];
  return [
    blocks(
      listed(
        differing.map((one) => one.name),
        `tables whose replica identity on ${target} is another one than on the source, so the first UPDATE would stop the replication`,
      ),
      'Set the same REPLICA IDENTITY on both sides.',
    ),
  ];
}

async function identities(session: Session, version: number): Promise<Identity[]> {
  const generated = version >= 120_000 ? "a.attgenerated <> ''" : 'false';
  // From 18 on the server refuses to send an old row without its generated columns; older ones leave them out on both sides.
  const fullLacks =
    version >= 180_000
      ? `WHEN c.relreplident = 'f' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND ${generated} AND NOT a.attisdropped)
           THEN 'REPLICA IDENTITY FULL with a generated column'`
      : '';
  return await session.query<Identity & Record<string, unknown>>(
    `SELECT n.nspname || '.' || c.relname AS name, k.columns,
            CASE ${fullLacks}
                 WHEN c.relreplident = 'f' THEN NULL
                 WHEN c.relreplident = 'n' THEN 'REPLICA IDENTITY NOTHING'
                 WHEN i.indexrelid IS NULL AND c.relreplident = 'i' THEN 'the index of its REPLICA IDENTITY was dropped'
                 WHEN i.indexrelid IS NULL THEN 'no primary key'
                 WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'the index of its identity is invalid'
                 WHEN NOT i.indimmediate THEN 'the key of its identity is DEFERRABLE'
                 WHEN NOT i.indisunique OR i.indpred IS NOT NULL OR i.indexprs IS NOT NULL THEN 'the index of its identity is not a plain unique one'
                 WHEN k.nullable THEN 'a column of its identity may be null'
                 WHEN k.generated THEN 'a column of its identity is generated, and generated columns are not sent'
            END AS because
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_index i ON i.indrelid = c.oid
         AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
       LEFT JOIN LATERAL (
         SELECT json_agg(a.attname ORDER BY a.attname) AS columns, bool_or(NOT a.attnotnull) AS nullable, bool_or(${generated}) AS generated
           FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:${version >= 110_000 ? 'i.indnkeyatts' : 'i.indnatts'} - 1])) k ON true
      WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${userSchema} AND ${ownObject('pg_class', 'c.oid')} ORDER BY 1`,
  );
}

/** Types without an equality that replication could look a row up by; arrays of them, too. */
const withoutEquality = /^(json|xml|point|box|path|polygon|line|lseg|circle)(\[\])*$/;

export const fullIdentities: Check = {
  name: 'replica identity full',
  look: ({ facts }) => {
    const full = replicatedTables(facts).filter((table) => table.replicaIdentity === 'f');
    const odd = (table: TableFacts): TableFacts['columns'][number] | undefined =>
      table.columns.find((one) => withoutEquality.test(one.type));
    const hopeless = full.flatMap((table) => {
      const column = odd(table);
      return column ? [`${named(table)} (${column.name} ${column.type})`] : [];
    });
    const slow = full.filter((table) => odd(table) === undefined);
    const found: Found[] = [];
    if (hopeless.length > 0) {
      found.push(
        blocks(
          `${listed(hopeless, 'tables with REPLICA IDENTITY FULL and a column that has no equality')}: the first UPDATE stops the replication permanently`,
          'Give them a primary key and ALTER TABLE … REPLICA IDENTITY DEFAULT.',
        ),
      );
    }
    if (slow.length > 0) {
      found.push(
        warns(
          `${listed(slow.map(named), 'tables with REPLICA IDENTITY FULL')}: every UPDATE searches the whole table on the target`,
          'Better give them a primary key and REPLICA IDENTITY DEFAULT.',
        ),
      );
    }
    return found;
  },
};
