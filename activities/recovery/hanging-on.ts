import type { Session } from '../postgres/session.ts';
import type { ForeignKey } from './facts.ts';

/** What hung on tables that are missing. */
export interface Hanging {
  /** Foreign keys of other tables that refer to them. */
  readonly inbound: readonly ForeignKey[];
  /** All else that went with them and that nobody makes again, as the server describes it. */
  readonly others: readonly string[];
}

export async function hangingOn(session: Session, oids: readonly number[]): Promise<Hanging> {
  const inbound = await session.query<ForeignKey & Record<string, unknown>>(
    `SELECT n.nspname AS schema, c.relname AS table, o.conname AS name, pg_get_constraintdef(o.oid) AS definition
       FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE o.contype = 'f' AND o.conparentid = 0 AND o.confrelid = ANY ($1::int8[]::oid[]) AND NOT o.conrelid = ANY ($1::int8[]::oid[])
      ORDER BY 1, 2, 3`,
    [oids],
  );
  const others = await session.query<{ name: string }>(
    `${cascade} SELECT name FROM (${listed} UNION ${placesInPublications} UNION ${foreignPartitions}) x ORDER BY name COLLATE "C"`,
    [oids],
  );
  return { inbound, others: others.map((one) => one.name) };
}

/** All that DROP … CASCADE takes along: what depends on something that goes, and the whole of which such a thing is a part. */
const cascade = `
  WITH RECURSIVE gone (classid, objid, objsubid) AS (
    SELECT 'pg_class'::regclass::oid, t.oid, 0 FROM unnest($1::int8[]::oid[]) AS t(oid)
    UNION SELECT more.classid, more.objid, more.objsubid FROM gone g CROSS JOIN LATERAL (
      SELECT p.classid, p.objid, p.objsubid FROM pg_depend p
       WHERE p.refclassid = g.classid AND p.refobjid = g.objid AND (g.objsubid = 0 OR p.refobjsubid = g.objsubid)
         AND p.deptype IN ('n', 'a', 'i', 'P', 'S')
      UNION ALL SELECT p.refclassid, p.refobjid, p.refobjsubid FROM pg_depend p
       WHERE p.classid = g.classid AND p.objid = g.objid AND p.objsubid = g.objsubid AND p.deptype = 'i') more)`;

/** Not the tables, nor what is a part of something that goes, such as an index of it; foreign keys have their own way back. */
const listed = `
  SELECT pg_describe_object(g.classid, g.objid, g.objsubid) AS name FROM gone g
   WHERE NOT (g.classid = 'pg_class'::regclass AND g.objid = ANY ($1::int8[]::oid[]))
     AND NOT (g.classid = 'pg_constraint'::regclass AND EXISTS (SELECT FROM pg_constraint o WHERE o.oid = g.objid AND o.contype = 'f'))
     AND NOT EXISTS (SELECT FROM pg_depend p JOIN gone w ON w.classid = p.refclassid AND w.objid = p.refobjid AND w.objsubid IN (0, p.refobjsubid)
                      WHERE p.classid = g.classid AND p.objid = g.objid AND p.objsubid = g.objsubid AND p.deptype IN ('a', 'i', 'P', 'S'))`;

const placesInPublications = `
  SELECT 'place of ' || pg_describe_object('pg_class'::regclass, r.prrelid, 0) || ' in the publication ' || quote_ident(p.pubname)
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = ANY ($1::int8[]::oid[])`;

/** Their rows are elsewhere, and so is nothing of them to be copied. */
const foreignPartitions = `
  SELECT pg_describe_object('pg_class'::regclass, k.oid, 0) FROM pg_inherits i JOIN pg_class k ON k.oid = i.inhrelid
   WHERE i.inhparent = ANY ($1::int8[]::oid[]) AND k.relkind = 'f'`;
