import { bytesText } from '../../../domain/bytes.ts';
import { blocks, informs, majorOf, versionText, warns, type Check, type Found, type View } from './view.ts';

/** The main worker and the workers that copy tables. */
const copyWorkers = ({ facts }: View): number => Number(facts.binding.target.settings['max_sync_workers_per_subscription'] ?? 2);

const identities: Check = {
  name: 'identity',
  look: ({ migration, facts, controlSystem }) => {
    const { source, target } = facts.binding;
    const found: Found[] = [];
    if (source.systemIdentifier === target.systemIdentifier) {
      found.push(
        blocks(
          `${migration.source} and ${migration.target} are on the same cluster (system ${source.systemIdentifier})`,
          'Give a target on another cluster.',
        ),
      );
    }
    for (const side of ['source', 'target'] as const) {
      if (facts.binding[side].systemIdentifier !== controlSystem) continue;
      found.push(
        blocks(
          `${migration[side]} is on the server that holds Steadyhand's control database`,
          'Move the control database to a server that no run changes.',
        ),
      );
    }
    return found;
  },
};

const primaries: Check = {
  name: 'primary',
  look: ({ migration, facts }) =>
    (['source', 'target'] as const)
      .filter((side) => facts.binding[side].inRecovery)
      .map((side) => blocks(`${migration[side]} is a standby (in recovery)`, 'Name the primary in the inventory.')),
};

/** What an earlier move leaves: an old side that was closed, or opened again, and a target that nobody could use. */
const limits: Check = {
  name: 'connection limits',
  look: ({ migration: { source, target }, facts, move }) => {
    const found: Found[] = [];
    if (move && facts.binding.source.connectionLimit !== 0)
      found.push(
        warns(
          `${source} was moved to ${move.target} by ${move.run} and has been opened again since`,
          `Make sure that it is the side that serves: what was written on ${move.target} meanwhile is not here.`,
        ),
      );
    if (facts.binding.source.connectionLimit === 0)
      found.push(warns(`${source} is closed to clients (CONNECTION LIMIT 0)`, 'Find out why: perhaps another side serves already.'));
    if (facts.binding.target.connectionLimit === 0)
      found.push(
        blocks(
          `${target} is closed to clients (CONNECTION LIMIT 0), and would be after the switch`,
          'ALTER DATABASE … CONNECTION LIMIT -1 there; the run closes it by itself as long as it must be.',
        ),
      );
    return found;
  },
};

const versions: Check = {
  name: 'versions',
  look: ({ facts }) => {
    const { source, target } = facts.binding;
    if (majorOf(source) < 10)
      return [blocks(`the source is PostgreSQL ${versionText(source)}`, 'Logical replication needs 10 or newer: upgrade first.')];
    if (majorOf(target) < majorOf(source)) {
      return [
        blocks(
          `the target (${versionText(target)}) is older than the source (${versionText(source)})`,
          'Give a target of the same or a newer major version.',
        ),
      ];
    }
    return [informs(`from PostgreSQL ${versionText(source)} to ${versionText(target)}`)];
  },
};

const walLevel: Check = {
  name: 'wal_level',
  look: ({ migration, facts }) => {
    const level = facts.binding.source.settings['wal_level'];
    if (level === 'logical') return [];
    return [
      blocks(`wal_level on ${migration.source} is ${level}`, `ALTER SYSTEM SET wal_level = 'logical', then restart ${migration.source}.`),
    ];
  },
};

/** One slot and sender for the stream, and one of each for every table that is copied at the same time. */
const sourceCapacity: Check = {
  name: 'slots and senders',
  look: async (view) => {
    const { settings } = view.facts.binding.source;
    const [used] = await view.source.query<{ slots: number; senders: number }>(
      `SELECT (SELECT count(*)::int FROM pg_replication_slots WHERE slot_name <> $1) AS slots,
              (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name <> $1) AS senders`,
      [view.tag],
    );
    return [
      ...spare('max_replication_slots', view.migration.source, settings, used?.slots ?? 0, 1 + copyWorkers(view)),
      ...spare('max_wal_senders', view.migration.source, settings, used?.senders ?? 0, 1 + copyWorkers(view)),
    ];
  },
};

const targetCapacity: Check = {
  name: 'workers',
  look: async (view) => {
    const { settings } = view.facts.binding.target;
    const [used] = await view.target.query<{ origins: number; logical: number; workers: number }>(
      `SELECT (SELECT count(*)::int FROM pg_replication_origin) AS origins,
              (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type LIKE 'logical replication %') AS logical,
              (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type NOT IN ('client backend', 'walsender', 'autovacuum worker',
                 'autovacuum launcher', 'checkpointer', 'background writer', 'walwriter', 'archiver', 'startup', 'walreceiver', 'io worker')) AS workers`,
    );
    const own = view.copying ? 0 : 1 + copyWorkers(view);
    const origins = 'max_active_replication_origins' in settings ? 'max_active_replication_origins' : 'max_replication_slots';
    return [
      ...spare(origins, view.migration.target, settings, used?.origins ?? 0, own),
      ...spare('max_logical_replication_workers', view.migration.target, settings, used?.logical ?? 0, own),
      ...spare('max_worker_processes', view.migration.target, settings, used?.workers ?? 0, own),
    ];
  },
};

/** Without one spare it can't work; with fewer than it would use the copy is slower, or its workers start over and over. */
function spare(name: string, where: string, settings: Readonly<Record<string, string>>, used: number, wanted: number): Found[] {
  const limit = Number(settings[name] ?? 0);
  const evidence = `${name} on ${where} is ${limit}, ${used} in use; the run takes up to ${wanted}`;
  const fix = `ALTER SYSTEM SET ${name} = ${used + wanted}, then restart ${where}.`;
  if (limit - used < Math.min(1, wanted)) return [blocks(evidence, fix)];
  return limit - used < wanted ? [warns(evidence, fix)] : [];
}

const walKept: Check = {
  name: 'WAL on the source',
  look: async ({ source, migration, facts }) => {
    const keep = facts.binding.source.settings['max_slot_wal_keep_size'];
    const [wal] = await source.query<{ size: string }>('SELECT pg_size_pretty(coalesce(sum(size), 0)) AS size FROM pg_ls_waldir()');
    const seen = `${wal?.size} of WAL now; how much disk is free can't be asked by SQL`;
    if (keep !== undefined && keep !== '-1') {
      return [informs(`${migration.source} drops the run's slot when it keeps more than ${keep} of WAL (max_slot_wal_keep_size); ${seen}`)];
    }
    return [
      warns(
        `while the run lasts, its slot keeps WAL on ${migration.source} without a limit (max_slot_wal_keep_size = ${keep ?? 'unknown here'}); ${seen}`,
        'Watch the free disk of the source until the run ends, or set max_slot_wal_keep_size to what it can spare.',
      ),
    ];
  },
};

const disk: Check = {
  name: 'disk of the target',
  look: ({ migration, facts }) => {
    return [
      warns(
        `the tables are ${bytesText(facts.observed.sourceBytes)} on ${migration.source}; how much disk is free on ${migration.target} can't be asked by SQL`,
        'Make sure that the target has room for this and half as much again.',
      ),
    ];
  },
};

const connections: Check = {
  name: 'max_connections',
  look: ({ migration, facts }) => {
    const [source, target] = [facts.binding.source, facts.binding.target].map((side) => Number(side.settings['max_connections'] ?? 0));
    if (source === undefined || target === undefined || target >= source) return [];
    return [
      warns(
        `max_connections is ${target} on ${migration.target} and ${source} on ${migration.source}`,
        'Raise it on the target before the switch.',
      ),
    ];
  },
};

export const serverChecks: readonly Check[] = [
  identities,
  primaries,
  limits,
  versions,
  walLevel,
  sourceCapacity,
  targetCapacity,
  walKept,
  disk,
  connections,
];
