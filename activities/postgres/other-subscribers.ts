import { qualified, quoteIdentifier } from '../../domain/command.ts';
import { taggedName } from '../../domain/run.ts';
import type { PublicationFacts, SubscriberFacts } from '../replication/facts.ts';
import type { Session } from './session.ts';

/**
 * The logical slots of this database that somebody else reads from. Not those of runs, of a session, or of a table's initial copy:
 * these go by themselves.
 */
export async function otherSubscribers(session: Session, version: number): Promise<SubscriberFacts[]> {
  return await session.query<SubscriberFacts & Record<string, unknown>>(
    `SELECT slot_name::text AS slot, plugin::text AS plugin, ${version >= 140_000 ? 'two_phase' : 'false'} AS "twoPhase"
       FROM pg_replication_slots
      WHERE database = current_database() AND slot_type = 'logical' AND NOT temporary
        AND slot_name::text !~ $1 AND slot_name::text !~ '^pg_[0-9]+_sync_[0-9]+_[0-9]+$' ORDER BY slot_name::text COLLATE "C"`,
    [taggedName],
  );
}

interface Row extends Record<string, unknown> {
  readonly name: string;
  readonly all: boolean;
  readonly verbs: string;
  readonly viaRoot: boolean;
  readonly generated: string | null;
  readonly schemas: readonly string[];
  readonly tables: readonly {
    readonly schema: string;
    readonly name: string;
    readonly columns: readonly string[] | null;
    readonly filter: string | null;
  }[];
}

/** The publications of this database that are not a run's, each with the statement that makes it on another server. */
export async function otherPublications(session: Session, version: number): Promise<PublicationFacts[]> {
  const rows = await session.query<Row>(
    `SELECT p.pubname::text AS name, p.puballtables AS all,
            concat_ws(', ', CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END, CASE WHEN pubdelete THEN 'delete' END
              ${version >= 110_000 ? ", CASE WHEN pubtruncate THEN 'truncate' END" : ''}) AS verbs,
            ${version >= 130_000 ? 'pubviaroot' : 'false'} AS "viaRoot", ${version >= 180_000 ? "nullif(pubgencols::text, 'n')" : 'NULL'} AS generated,
            ${
              version >= 150_000
                ? `ARRAY(SELECT n.nspname::text FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid
                    WHERE s.pnpubid = p.oid ORDER BY n.nspname COLLATE "C")`
                : "'{}'::text[]"
            } AS schemas,
            ${tablesOf(version)} AS tables
       FROM pg_publication p WHERE p.pubname::text !~ $1 ORDER BY p.pubname COLLATE "C"`,
    [taggedName],
  );
  return rows.map((row) => ({ name: row.name, needsSuperuser: row.all || row.schemas.length > 0, definition: definitionOf(row) }));
}

/** Row filters and column lists came with 15. */
function tablesOf(version: number): string {
  const narrowing =
    version >= 150_000
      ? `'filter', pg_get_expr(r.prqual, r.prrelid), 'columns', CASE WHEN r.prattrs IS NOT NULL THEN
           (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) END`
      : `'filter', NULL, 'columns', NULL`;
  return `(SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'name', c.relname, ${narrowing})
                                    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"), '[]')
             FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE r.prpubid = p.oid)`;
}

function definitionOf({ name, all, verbs, viaRoot, generated, schemas, tables }: Row): string {
  const listed = tables.map((one) => {
    const columns = one.columns === null ? '' : ` (${one.columns.map(quoteIdentifier).join(', ')})`;
    return `TABLE ONLY ${qualified(one)}${columns}${one.filter === null ? '' : ` WHERE (${one.filter})`}`;
  });
  const parts = [...listed, ...schemas.map((schema) => `TABLES IN SCHEMA ${quoteIdentifier(schema)}`)];
  const what = all ? ' FOR ALL TABLES' : parts.length > 0 ? ` FOR ${parts.join(', ')}` : '';
  const options = [
    `publish = '${verbs}'`,
    ...(viaRoot ? ['publish_via_partition_root = true'] : []),
    ...(generated === null ? [] : ['publish_generated_columns = stored']),
  ];
  return `CREATE PUBLICATION ${quoteIdentifier(name)}${what} WITH (${options.join(', ')})`;
}
