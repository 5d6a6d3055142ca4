import type { Attempt } from '../attempt.ts';
import { ensure, type Observation } from '../engine/ensure.ts';
import type { Session } from '../postgres/session.ts';
import { dropFreeze, freezeDdl as planned } from './commands.ts';
import { endEarlierSessions } from './end-earlier.ts';
import { dropOwnSchema, foreignSchema, ownSchema, type OwnSchema } from './own-schema.ts';
import { changing, inTransaction, looking, type Sides } from './side.ts';

interface Freeze extends OwnSchema {
  readonly triggers: readonly { readonly name: string; readonly ours: boolean; readonly enabled: string }[];
}

/**
 * Stops DDL on the source by two event triggers with the run's tag. What is temporary, GRANT, COMMENT, REFRESH and REINDEX pass,
 * and so do our own sessions and those with `steadyhand.ddl = 'allow'`. Repeats safely: adopted by tag. Raises `foreign-object`
 * when the schema or a trigger of our name is somebody else's, `drift` when half of it was removed or switched off.
 */
export async function freezeDdl(sides: Sides, attempt: Attempt): Promise<void> {
  await endEarlierSessions(sides, attempt, ['source']);
  await ensure(attempt, {
    observe: async () => observation(sides, attempt.tag, await lookAtFreeze(sides, attempt.tag)),
    act: async () => {
      const { schema } = await lookAtFreeze(sides, attempt.tag);
      const commands = planned(sides.migration, sides.facts).filter(
        ({ text }) => schema === 'absent' || !/^(CREATE|COMMENT ON) SCHEMA/.test(text),
      );
      await changing(sides, 'source', attempt, async (session) => {
        await inTransaction(session, async () => {
          for (const command of commands) await session.run(command, values(attempt));
        });
      });
    },
  });
}

/** Right when it never happened, and twice. Leaves the schema when it was there before or something else is in it. */
export async function thawDdl(sides: Sides, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  await attempt.intend({});
  await endEarlierSessions(sides, attempt, ['source']);
  await dropOwnFreeze(sides, attempt);
  if (attempt.intended['hadSchema'] === false) await dropOwnSchema(sides, attempt);
  await attempt.settle('undone');
}

/** Removes the triggers and their function if they are there and ours. */
export async function dropOwnFreeze(sides: Sides, attempt: Attempt): Promise<void> {
  const seen = await lookAtFreeze(sides, attempt.tag);
  const nothing = seen.triggers.length === 0 && seen.objects === 0;
  if (nothing || seen.schema !== 'ours' || seen.triggers.some((one) => !one.ours)) return;
  await changing(sides, 'source', attempt, async (session) => {
    await inTransaction(session, async () => {
      for (const command of dropFreeze) await session.run(command, values(attempt));
    });
  });
}

function values({ tag, run }: Attempt): { tag: string; tag_drop: string; run: string } {
  return { tag, tag_drop: `${tag}_drop`, run };
}

async function lookAtFreeze(sides: Sides, tag: string): Promise<Freeze> {
  return await looking(sides, 'source', async (session) => ({ ...(await ownSchema(session)), triggers: await triggers(session, tag) }));
}

async function triggers(session: Session, tag: string): Promise<Freeze['triggers']> {
  return await session.query<{ name: string; ours: boolean; enabled: string }>(
    `SELECT e.evtname AS name, e.evtenabled AS enabled, n.nspname = 'steadyhand' AND p.proname = $1 AS ours
       FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE e.evtname IN ($1, $1 || '_drop') ORDER BY 1`,
    [tag],
  );
}

function observation(sides: Sides, tag: string, seen: Freeze): Observation<void> {
  const { source } = sides.migration;
  if (seen.schema === 'foreign') return { state: 'foreign', what: foreignSchema(source) };
  const foreign = seen.triggers.find((one) => !one.ours);
  if (foreign) return { state: 'foreign', what: `${source} has an event trigger "${foreign.name}" that Steadyhand did not make` };
  if (seen.triggers.length === 0) return { state: 'absent', before: { hadSchema: seen.schema === 'ours' } };
  const off = seen.triggers.find((one) => one.enabled === 'D' || one.enabled === 'R');
  if (off) return { state: 'drifted', what: `the DDL freeze on ${source} was switched off: event trigger "${off.name}"` };
  if (seen.triggers.length === 1) return { state: 'drifted', what: `half of the DDL freeze "${tag}" on ${source} was removed` };
  return { state: 'there', result: undefined };
}
