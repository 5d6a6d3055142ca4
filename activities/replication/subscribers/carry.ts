import { Failure } from '../../../domain/failure.ts';
import type { Before } from '../../../domain/step.ts';
import type { NoReturn } from '../../../control/contract.ts';
import type { Attempt } from '../../attempt.ts';
import { ensure, type Observation } from '../../engine/ensure.ts';
import { endEarlierSessions } from '../end-earlier.ts';
import { changing, looking, type Sides } from '../side.ts';
import { carriedSlots, dropCarriedPublication, dropPlace, makePlace } from './commands.ts';

/** Making a slot waits for the target's running transactions. */
const slotTimeoutMs = 120_000;

interface Seen {
  readonly slots: readonly string[];
  readonly publications: readonly string[];
}

/**
 * Makes the source's publications on the target, those that are missing, and a slot of the same name for each other subscriber. The
 * cutover moves these slots to where the new side begins. Repeats safely: the journal says what was absent before. Raises
 * `foreign-object` when a slot of that name is there already.
 */
export async function carrySubscribers(sides: Sides, attempt: Attempt): Promise<void> {
  await endEarlierSessions(sides, attempt, ['target']);
  const { publications } = sides.facts.binding.source;
  let intended = attempt.intended;
  await ensure(attempt, {
    observe: async () => observation(sides, intended, await look(sides)),
    act: async (before) => {
      intended = before;
      const seen = await look(sides);
      await changing(
        sides,
        'target',
        attempt,
        async (session) => {
          for (const { name, definition } of publications)
            if (!seen.publications.includes(name)) await session.run({ on: 'target', kind: 'sql', text: definition });
          for (const one of carriedSlots(sides.migration, sides.facts))
            if (!seen.slots.includes(one.slot)) await session.run(makePlace(one));
        },
        slotTimeoutMs,
      );
    },
  });
}

/**
 * Drops what the journal says this run has made. Right when it never happened, and twice. Raises `conflict` after the point of no
 * return: then the subscribers may be there.
 */
export async function dropCarried(sides: Sides, noReturn: NoReturn, attempt: Attempt): Promise<void> {
  const before = attempt.intended;
  if (before === null) return await attempt.settle('nothing-to-undo');
  if ((await noReturn.read(attempt.run))?.side === 'forward') {
    throw new Failure('conflict', `${sides.migration.target} is the database in charge; the slots of other subscribers stay there`);
  }
  await attempt.intend({});
  await endEarlierSessions(sides, attempt, ['target']);
  const seen = await look(sides);
  await changing(sides, 'target', attempt, async (session) => {
    for (const slot of textsOf(before['slots'])) if (seen.slots.includes(slot)) await session.run(dropPlace(slot));
    for (const name of textsOf(before['publications']))
      if (seen.publications.includes(name)) await session.run(dropCarriedPublication(name));
  });
  await attempt.settle('undone');
}

/** Of those that are to be carried, what is on the target. */
async function look({ servers, migration, facts }: Sides): Promise<Seen> {
  return await looking({ servers, migration, facts }, 'target', async (session) => {
    const [row] = await session.query<{ slots: string[]; publications: string[] }>(
      `SELECT ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE slot_name::text = ANY ($1::text[])) AS slots,
              ARRAY(SELECT pubname::text FROM pg_publication WHERE pubname::text = ANY ($2::text[])) AS publications`,
      [carriedSlots(migration, facts).map((one) => one.slot), facts.binding.source.publications.map((one) => one.name)],
    );
    return row ?? { slots: [], publications: [] };
  });
}

function observation({ migration, facts }: Sides, intended: Before | null, seen: Seen): Observation<void> {
  const slots = carriedSlots(migration, facts).map((one) => one.slot);
  const missing = facts.binding.source.publications.map((one) => one.name).filter((name) => !seen.publications.includes(name));
  const ours = textsOf(intended?.['slots']);
  const foreign = seen.slots.find((slot) => !ours.includes(slot));
  if (foreign !== undefined) return { state: 'foreign', what: `${migration.target} has a replication slot "${foreign}" already` };
  if (missing.length === 0 && seen.slots.length === slots.length) return { state: 'there', result: undefined };
  return { state: 'absent', before: { slots, publications: missing } };
}

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
