import type { Session } from './session.ts';
import { userSchema } from './user-objects.ts';

/** Each a query of one text column `line`, over the objects of the users' schemas. Grants, comments and statistics are in none. */
const lists = (version: number): readonly string[] => [
  `SELECT concat_ws(' ', 'schema', n.nspname, pg_get_userbyid(n.nspowner)) FROM pg_namespace n WHERE ${userSchema}`,
  `SELECT concat_ws(' ', 'extension', extname, extversion) FROM pg_extension`,
  `SELECT concat_ws(' ', 'relation', n.nspname, c.relname, c.oid, c.relkind, c.relpersistence, c.relreplident, c.relrowsecurity,
            c.relforcerowsecurity, pg_get_userbyid(c.relowner), c.reloptions, pg_get_expr(c.relpartbound, c.oid),
            CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema} AND c.relpersistence <> 't' AND c.relkind NOT IN ('i', 'I', 't')`,
  `SELECT concat_ws(' ', 'column', a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
            ${version >= 120_000 ? 'a.attgenerated' : "''"}, a.attcollation, pg_get_expr(d.adbin, d.adrelid))
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE ${userSchema} AND c.relpersistence <> 't' AND c.relkind NOT IN ('i', 'I', 't') AND a.attnum > 0 AND NOT a.attisdropped`,
  `SELECT concat_ws(' ', 'constraint', o.conrelid, o.contypid, o.conname, pg_get_constraintdef(o.oid))
     FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace WHERE ${userSchema}`,
  `SELECT concat_ws(' ', 'index', i.indrelid, i.indisvalid, i.indisreplident, pg_get_indexdef(i.indexrelid))
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema} AND c.relpersistence <> 't'`,
  `SELECT concat_ws(' ', 'trigger', t.tgenabled, pg_get_triggerdef(t.oid))
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema} AND NOT t.tgisinternal`,
  `SELECT concat_ws(' ', 'rule', r.ev_class, r.rulename, pg_get_ruledef(r.oid))
     FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema} AND r.rulename <> '_RETURN'`,
  `SELECT concat_ws(' ', 'policy', p.polrelid, p.polname, p.polcmd, p.polpermissive, p.polroles,
            pg_get_expr(p.polqual, p.polrelid), '/', pg_get_expr(p.polwithcheck, p.polrelid))
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${userSchema}`,
  `SELECT concat_ws(' ', 'function', n.nspname, p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prolang,
            p.provolatile, p.proisstrict, p.prosecdef, p.proconfig, pg_get_userbyid(p.proowner), p.prosrc, p.probin
            ${version >= 140_000 ? ', pg_get_function_sqlbody(p.oid)' : ''})
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${userSchema}`,
  `SELECT concat_ws(' ', 'type', n.nspname, t.typname, t.typtype, t.typbasetype, t.typnotnull, t.typdefault,
            (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${userSchema} AND t.typtype IN ('e', 'd', 'r')`,
  `SELECT concat_ws(' ', 'sequence', s.seqrelid, s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
     FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema} AND c.relpersistence <> 't'`,
];

/**
 * A digest of what the users' objects are: two looks at one server are equal exactly when no DDL that a freeze would refuse came in
 * between. Never to be compared with another server's. Sets what decides how names are written.
 */
export async function definitionsDigest(session: Session, version: number): Promise<string> {
  await session.query('SET search_path = pg_catalog; SET quote_all_identifiers = off');
  const [row] = await session.query<{ digest: string }>(
    `SELECT md5(coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE "C"), '')) AS digest FROM (${lists(version).join(' UNION ALL ')}) AS l (line)`,
  );
  return row?.digest ?? '';
}
