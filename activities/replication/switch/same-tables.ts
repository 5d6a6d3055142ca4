import type { Session } from '../../postgres/session.ts';
import type { MigrationFacts } from '../facts.ts';

export interface Sets {
  /** What would lose writes: a line each. Empty: the three sets are the same. */
  readonly differences: readonly string[];
  /** Tables whose copy is still under way; time mends that. */
  readonly notReady: readonly string[];
}

/**
 * A marker proves only what the subscription carries. So: the user tables of the source = the tables of the publication (all
 * four verbs, no row filter, no column list) = the tables of the subscription in state `r`; and the sequences are those of the
 * facts. Only looks.
 */
export async function compareSets(source: Session, target: Session, facts: MigrationFacts, tag: string): Promise<Sets> {
  const [onSource, subscribed] = await Promise.all([
    lookAtSource(source, facts.binding.source.version, tag),
    subscribedTables(target, tag),
  ]);
  const { there, published, verbs, sequences } = onSource;
  const inPublication = new Set(published.map((one) => one.table));
  const inSubscription = new Set(subscribed.map((one) => one.table));
  const known = new Set(facts.binding.source.sequences.map((one) => `${one.schema}.${one.name}`));
  const differences = [
    ...verbs,
    ...there.filter((table) => !inPublication.has(table)).map((table) => `${table} is on the source and not in the publication`),
    ...published.filter((one) => one.narrowed).map((one) => `${one.table} is published with a row filter or a column list`),
    ...published.filter((one) => !inSubscription.has(one.table)).map((one) => `${one.table} is published and not in the subscription`),
    ...subscribed.filter((one) => !inPublication.has(one.table)).map((one) => `${one.table} is in the subscription and not published`),
    ...sequences.filter((name) => !known.has(name)).map((name) => `the sequence ${name} was made after the plan`),
  ];
  return { differences, notReady: subscribed.filter((one) => one.state !== 'r').map((one) => `${one.table} (${one.state})`) };
}

/** What belongs to an extension comes with the extension; temporary and unlogged tables are in no WAL (preflight names them). */
const ofNobodyElse = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

interface OnSource {
  readonly there: readonly string[];
  readonly published: readonly { readonly table: string; readonly narrowed: boolean }[];
  readonly verbs: readonly string[];
  readonly sequences: readonly string[];
}

/** In one query, because writes are held up while it runs. */
async function lookAtSource(source: Session, version: number, tag: string): Promise<OnSource> {
  const [row] = await source.query<{ objects: { kind: string; name: string }[]; published: OnSource['published']; whole: boolean | null }>(
    `SELECT (SELECT coalesce(json_agg(json_build_object('kind', c.relkind, 'name', n.nspname || '.' || c.relname)
                                      ORDER BY n.nspname, c.relname), '[]')
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'S') AND c.relpersistence = 'p' AND ${ofNobodyElse}) AS objects,
            (${publishedTables(version)}) AS published,
            (SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate FROM pg_publication WHERE pubname = $1) AS whole`,
    [tag],
  );
  const objects = row?.objects ?? [];
  return {
    there: objects.filter((one) => one.kind === 'r').map((one) => one.name),
    sequences: objects.filter((one) => one.kind === 'S').map((one) => one.name),
    published: row?.published ?? [],
    verbs: wholeness(row?.whole ?? null, tag),
  };
}

function wholeness(whole: boolean | null, tag: string): string[] {
  if (whole === null) return [`the publication ${tag} is not there`];
  return whole ? [] : [`the publication ${tag} leaves out inserts, updates, deletes or truncates`];
}

/** Row filters and column lists came with 15. */
function publishedTables(version: number): string {
  const narrowed = version >= 150_000 ? 'coalesce(r.prqual IS NOT NULL OR r.prattrs IS NOT NULL, false)' : 'false';
  return `SELECT coalesce(json_agg(json_build_object('table', t.schemaname || '.' || t.tablename, 'narrowed', ${narrowed})
                                   ORDER BY t.schemaname, t.tablename), '[]')
       FROM pg_publication_tables t
       JOIN pg_publication p ON p.pubname = t.pubname
       JOIN pg_namespace n ON n.nspname = t.schemaname
       JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
       LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
      WHERE t.pubname = $1`;
}

async function subscribedTables(target: Session, tag: string): Promise<{ table: string; state: string }[]> {
  return await target.query<{ table: string; state: string }>(
    `SELECT n.nspname || '.' || c.relname AS table, r.srsubstate::text AS state
       FROM pg_subscription s
       JOIN pg_subscription_rel r ON r.srsubid = s.oid
       JOIN pg_class c ON c.oid = r.srrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE s.subname = $1 AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`,
    [tag],
  );
}
