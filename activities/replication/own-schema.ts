import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { dropMarker, dropSchema, schemaComment } from './commands.ts';
import { changing, looking, type SideName, type Sides } from './side.ts';

/** Our schema on one side, and what of ours is in it. */
export interface OwnSchema {
  readonly schema: 'absent' | 'ours' | 'foreign';
  readonly marker: boolean;
  /** Objects in it, the marker table counted as one. */
  readonly objects: number;
}

/** Ours is told by its comment: another schema of that name is somebody else's. */
export async function ownSchema(session: Session): Promise<OwnSchema> {
  const [row] = await session.query<{ comment: string; marker: boolean; objects: number }>(
    `SELECT coalesce(obj_description(n.oid, 'pg_namespace'), '') AS comment,
            EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'marker') AS marker,
            (SELECT count(*)::int FROM pg_depend
              WHERE refclassid = 'pg_namespace'::regclass AND refobjid = n.oid AND deptype = 'n') AS objects
       FROM pg_namespace n WHERE n.nspname = 'steadyhand'`,
  );
  if (!row) return { schema: 'absent', marker: false, objects: 0 };
  return { schema: row.comment === schemaComment ? 'ours' : 'foreign', marker: row.marker, objects: row.objects };
}

export function foreignSchema(database: string): string {
  return `${database} has a schema "steadyhand" that Steadyhand did not make`;
}

/**
 * Removes the marker table, and the schema once nothing is left in it: what is asked for, and only if the schema is ours. Repeats
 * safely.
 */
export async function dropOwnSchema(
  sides: Sides,
  side: SideName,
  attempt: Attempt,
  remove: { readonly marker: boolean; readonly schema: boolean },
): Promise<void> {
  const seen = await looking(sides, side, ownSchema);
  if (seen.schema !== 'ours') return;
  const marker = remove.marker && seen.marker;
  const schema = remove.schema && seen.objects === (marker ? 1 : 0);
  if (!marker && !schema) return;
  await changing(sides, side, attempt, async (session) => {
    if (marker) await session.run(dropMarker(side));
    if (schema) await session.run(dropSchema(side));
  });
}
