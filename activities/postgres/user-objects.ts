/** Schemas of the users: not the server's, not ours. `n` is pg_namespace. */
export const userSchema = `n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'steadyhand')`;

/** Not a member of an extension. */
export const ownObject = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;
