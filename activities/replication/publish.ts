import { qualified, quoteIdentifier } from '../../domain/command.ts';
import type { Attempt } from '../attempt.ts';
import { ensure, type Observation } from '../engine/ensure.ts';
import type { Session } from '../postgres/session.ts';
import { dropPublication, makePublication } from './commands.ts';
import { endEarlierSessions } from './end-earlier.ts';
import { replicatedTables } from './facts.ts';
import { changing, looking, type Sides } from './side.ts';
import { refuseChangedDefinitions } from './unchanged-definitions.ts';
import { refuseChangedTables } from './unchanged-tables.ts';

interface Publication {
  readonly exists: boolean;
  /** All tables, missing verbs, row filters, column lists, schemas: anything that is not ours. */
  readonly odd: boolean;
  readonly tables: readonly string[];
}

/**
 * On the source the publication of exactly the tables of the facts. Repeats safely: adopted by tag. Raises `objects-differ` when a
 * table came, went or changed since the plan, `drift` when the publication was changed.
 */
export async function publish(sides: Sides, attempt: Attempt): Promise<void> {
  await endEarlierSessions(sides, attempt, ['source']);
  await ensure(attempt, {
    observe: async () => observation(sides, attempt.tag, await look(sides, attempt.tag)),
    act: async () => {
      await refuseChangedTables(sides);
      await looking(sides, 'source', async (session) => await refuseChangedDefinitions(session, sides.migration.source, sides.facts));
      await changing(sides, 'source', attempt, async (session) => {
        await session.run(makePublication(sides.facts), { tag: attempt.tag });
      });
    },
  });
}

/** Right when it never happened, and twice. */
export async function unpublish(sides: Sides, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  await attempt.intend({});
  await endEarlierSessions(sides, attempt, ['source']);
  await dropOwnPublication(sides, attempt);
  await attempt.settle('undone');
}

/** The publication with the run's tag; nothing when it is gone. */
export async function dropOwnPublication(sides: Sides, attempt: Attempt): Promise<void> {
  const { exists } = await look(sides, attempt.tag);
  if (!exists) return;
  await changing(sides, 'source', attempt, async (session) => await session.run(dropPublication, { tag: attempt.tag }));
}

async function look(sides: Sides, tag: string): Promise<Publication> {
  return await looking(sides, 'source', async (session) => await publicationOf(sides, session, tag));
}

async function publicationOf(sides: Sides, session: Session, tag: string): Promise<Publication> {
  const { version } = sides.facts.binding.source;
  const [row] = await session.query<{ odd: boolean; tables: [string, string][] | null }>(
    `SELECT p.puballtables OR NOT (p.pubinsert AND p.pubupdate AND p.pubdelete)
            ${version >= 110_000 ? 'OR NOT p.pubtruncate' : ''} ${version >= 130_000 ? 'OR p.pubviaroot' : ''}
            ${
              version >= 150_000
                ? `OR EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = p.oid)
            OR EXISTS (SELECT FROM pg_publication_rel WHERE prpubid = p.oid AND (prqual IS NOT NULL OR prattrs IS NOT NULL))`
                : ''
            } AS odd,
            (SELECT json_agg(json_build_array(n.nspname, c.relname)) FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.prpubid = p.oid) AS tables
       FROM pg_publication p WHERE p.pubname = $1`,
    [tag],
  );
  return {
    exists: row !== undefined,
    odd: row?.odd ?? false,
    tables: (row?.tables ?? []).map(([schema, name]) => qualified({ schema, name })),
  };
}

function observation(sides: Sides, tag: string, seen: Publication): Observation<void> {
  const { migration, facts } = sides;
  if (!seen.exists) {
    // By this name the facts find it again: DDL that comes later is told by it.
    const { definitions } = facts.binding.source;
    return { state: 'absent', before: definitions === null ? {} : { definitions } };
  }
  const planned = replicatedTables(facts).map(qualified);
  const missing = planned.filter((one) => !seen.tables.includes(one));
  const more = seen.tables.filter((one) => !planned.includes(one));
  if (missing.length === 0 && more.length === 0 && !seen.odd) return { state: 'there', result: undefined };
  const what = [...missing.map((one) => `lacks ${one}`), ...more.map((one) => `has ${one}`)].join(', ') || 'has other options';
  return { state: 'drifted', what: `the publication ${quoteIdentifier(tag)} on ${migration.source} was changed: it ${what}` };
}
