import type { Session } from '../session.ts';
import { blocks, listed, warns, type Check, type Found, type View } from './view.ts';

/**
 * Anyone who reads from a logical slot of the source stops receiving rows at the cutover: the old side is closed. People choose what
 * happens to them, since a slot on the target that nobody reads from keeps WAL there.
 */
export const otherSubscribers: Check = {
  name: 'other subscribers',
  look: async (view) => {
    const { migration, facts } = view;
    const { subscribers } = facts.binding.source;
    if (subscribers.length === 0) return [];
    const slots = listed(
      subscribers.map(({ slot, plugin }) => `${slot} (${plugin})`),
      'slots',
    );
    const evidence = `others receive the changes of ${migration.source}, by replication ${slots}`;
    if (migration.otherSubscribers === 'carry') return [...(await hindrances(view)), continuing(evidence, migration.target)];
    const lost = `${evidence}: they get no row that is written after the switch`;
    if (migration.otherSubscribers === 'leave') return [warns(lost, 'Set each of them up anew on the target, with a new copy.')];
    return [
      blocks(
        lost,
        'Ask with -i otherSubscribers=carry: the run makes a slot for each on the target, where it goes on without losing a row;' +
          ' or with -i otherSubscribers=leave when they may lose rows. Drop slots that nobody reads from.',
      ),
    ];
  },
};

const continuing = (evidence: string, target: string): Found =>
  warns(
    `${evidence}: ${target} gets a slot of the same name for each, which keeps WAL from the switch on until its reader has come`,
    'After the switch let each of them read to the end of the old side, then point it to the new side: docs/migration-cutover.md#other-subscribers.',
  );

/** What would stop the run from making publications and slots on the target. */
async function hindrances({ facts, migration, target }: View): Promise<Found[]> {
  const { subscribers, publications } = facts.binding.source;
  const { superuser, version, settings } = facts.binding.target;
  const [row] = await target.query<{ taken: string[]; spare: number; may: boolean }>(
    `SELECT ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE slot_name::text = ANY ($1::text[]) ORDER BY 1) AS taken,
            current_setting('max_replication_slots')::int - (SELECT count(*)::int FROM pg_replication_slots) AS spare,
            (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may`,
    [subscribers.map(({ slot }) => slot)],
  );
  const bound = publications.filter((one) => one.needsSuperuser).map((one) => one.name);
  const wrong: [boolean, string, string][] = [
    [version < 110_000, `it is older than 11, where no slot can be moved`, 'Move to a newer version.'],
    [settings['wal_level'] !== 'logical', `its wal_level is ${settings['wal_level']}`, 'Set wal_level = logical there and restart it.'],
    [
      (row?.taken.length ?? 0) > 0,
      `it has ${listed(row?.taken ?? [], 'slots')} already`,
      'Drop them there, or rename them at their readers.',
    ],
    [(row?.spare ?? 0) < subscribers.length, `it has ${row?.spare} slots to spare`, 'Raise max_replication_slots there.'],
    [
      row?.may === false,
      `Steadyhand's role has no REPLICATION there`,
      'ALTER ROLE … REPLICATION; some providers have a role to grant instead.',
    ],
    [!superuser && bound.length > 0, `only a superuser can make ${listed(bound, 'publications')} there`, 'Make them there before the run.'],
  ];
  return wrong
    .filter(([is]) => is)
    .map(([, what, fix]) => blocks(`${migration.target} cannot take the subscribers of ${migration.source}: ${what}`, fix));
}

/** What a run neither carries nor stops. */
export const otherReplication: Check = {
  name: 'other replication',
  look: async ({ source, target, migration, facts, tag }) => {
    const standbys = await source.query<{ name: string }>(
      `SELECT slot_name || CASE WHEN active THEN '' ELSE ' (inactive)' END AS name FROM pg_replication_slots
        WHERE slot_type = 'physical' ORDER BY 1`,
    );
    const { subscribers, publications } = facts.binding.source;
    const carried = migration.otherSubscribers === 'carry' && subscribers.length > 0;
    const disabled = await subscriptions(source, tag, false);
    const onTarget = await subscriptions(target, tag);
    const kinds: [readonly string[], string, string, string][] = [
      [
        carried ? [] : publications.map((one) => one.name),
        `publications of the application on ${migration.source}`,
        'a run does not carry them',
        'Make them on the target before its readers move there.',
      ],
      [
        standbys.map((one) => one.name),
        `physical slots on ${migration.source}`,
        'standbys of the old side stay with it',
        'Give the target standbys of its own.',
      ],
      [
        disabled,
        `disabled subscriptions on ${migration.source}`,
        'a run does not carry them, and their slots keep WAL at their publishers',
        'Make them on the target after the switch: docs/migration-cutover.md#the-source-is-a-subscriber.',
      ],
      [
        onTarget,
        `other subscriptions write into ${migration.target}`,
        'their rows are not on the source',
        'Remove them, or make sure that they write into other tables.',
      ],
    ];
    return kinds.filter(([names]) => names.length > 0).map(([names, what, so, fix]) => warns(`${listed(names, what)}: ${so}`, fix));
  },
};

/** Subscriptions of the database that are not this run's. */
async function subscriptions(session: Session, tag: string, enabled?: boolean): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT subname::text AS name FROM pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND subname <> $1
        AND subenabled IS NOT DISTINCT FROM coalesce($2, subenabled) ORDER BY 1`,
    [tag, enabled ?? null],
  );
  return rows.map((row) => row.name);
}
