import { quoteIdentifier } from '../../domain/command.ts';
import { applyTriggerKey, type ApplyTrigger } from '../replication/facts.ts';
import type { Session } from './session.ts';
import { extensionName, tableName } from './objects-of.ts';
import { ownObject, userSchema } from './user-objects.ts';

/**
 * What fires in a session that replicates: triggers of the replicated tables, and event triggers, that are ENABLE ALWAYS or REPLICA. A
 * partition has a trigger of its own, so it is the partition's mode that counts. Rules are not here: neither COPY nor the apply
 * worker looks at them.
 */
export async function applyTriggers(session: Session): Promise<ApplyTrigger[]> {
  const rows = await session.query<ApplyTrigger & Record<string, unknown>>(
    `SELECT json_build_object('schema', n.nspname, 'name', c.relname) AS "table", t.tgname AS name, t.tgenabled AS mode, NULL AS extension,
            t.tgisinternal AND EXISTS (SELECT FROM pg_constraint o WHERE o.oid = t.tgconstraint AND o.contype <> 't') AS "ofConstraint"
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE t.tgenabled IN ('A', 'R') AND c.relkind = 'r' AND c.relpersistence = 'p' AND ${userSchema} AND ${ownObject('pg_class', 'c.oid')}
      UNION ALL
     SELECT NULL, e.evtname, e.evtenabled, x.extname, false
       FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace
       LEFT JOIN pg_depend d ON d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e'
       LEFT JOIN pg_extension x ON d.refclassid = 'pg_extension'::regclass AND x.oid = d.refobjid
      WHERE e.evtenabled IN ('A', 'R') AND n.nspname <> 'steadyhand'`,
  );
  return rows.toSorted((one, other) => (applyTriggerKey(one) < applyTriggerKey(other) ? -1 : 1));
}

/** Those of objects that the run itself has not made. */
export function notOf(own: ReadonlySet<string>, triggers: readonly ApplyTrigger[]): readonly ApplyTrigger[] {
  return triggers.filter(({ table, name, extension }) => {
    if (table) return !own.has(tableName(table));
    return !own.has(extension === null ? eventTriggerName(name) : extensionName({ name: extension }));
  });
}

const eventTriggerName = (name: string): string => `event trigger ${quoteIdentifier(name)}`;
