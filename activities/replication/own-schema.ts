import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { dropSchema, schemaComment } from './commands.ts';
import { changing, looking, type Sides } from './side.ts';

/** Our schema, and how much is in it. */
export interface OwnSchema {
  readonly schema: 'absent' | 'ours' | 'foreign';
  readonly objects: number;
}

/** Ours is told by its comment: another schema of that name is somebody else's. */
export async function ownSchema(session: Session): Promise<OwnSchema> {
  const [row] = await session.query<{ comment: string; objects: number }>(
    `SELECT coalesce(obj_description(n.oid, 'pg_namespace'), '') AS comment,
            (SELECT count(*)::int FROM pg_depend
              WHERE refclassid = 'pg_namespace'::regclass AND refobjid = n.oid AND deptype = 'n') AS objects
       FROM pg_namespace n WHERE n.nspname = 'steadyhand'`,
  );
  if (!row) return { schema: 'absent', objects: 0 };
  return { schema: row.comment === schemaComment ? 'ours' : 'foreign', objects: row.objects };
}

export function foreignSchema(database: string): string {
  return `${database} has a schema "steadyhand" that Steadyhand did not make`;
}

/** Removes the source's schema if it is ours and nothing is left in it. Repeats safely. */
export async function dropOwnSchema(sides: Sides, attempt: Attempt): Promise<void> {
  const seen = await looking(sides, 'source', ownSchema);
  if (seen.schema !== 'ours' || seen.objects > 0) return;
  await changing(sides, 'source', attempt, async (session) => void (await session.run(dropSchema)));
}
