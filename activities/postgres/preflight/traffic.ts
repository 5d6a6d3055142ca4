import { lookup } from 'node:dns/promises';
import { durationText } from '../../../domain/duration.ts';
import { Failure } from '../../../domain/failure.ts';
import { otherReplication, otherSubscribers } from './other-replication.ts';
import { blocks, informs, listed, warns, type Check, type Found, type View } from './view.ts';
import { writersWithoutLogin } from './writers.ts';

export const transactionsOlderThan = (longMs: number): Check => ({
  name: 'long transactions',
  look: async ({ source, target, migration }) => {
    const found: Found[] = [];
    for (const [session, side] of [
      [source, migration.source],
      [target, migration.target],
    ] as const) {
      const rows = await session.query<{ who: string; ms: number }>(
        `SELECT format('pid %s, %s, %s', pid, usename, coalesce(nullif(application_name, ''), 'no name')) AS who,
                (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS ms
           FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            AND xact_start < clock_timestamp() - $1 * interval '1 millisecond' ORDER BY xact_start`,
        [longMs],
      );
      const names = rows.map((row) => `${row.who} (${durationText(row.ms)})`);
      if (names.length > 0)
        found.push(
          warns(
            `${side}: ${listed(names, `transactions older than ${durationText(longMs)}`)}; a slot and a switch wait for them`,
            'End them before the run.',
          ),
        );
    }
    return found;
  },
});

interface Visitor extends Record<string, unknown> {
  readonly user: string;
  readonly application: string;
  readonly address: string | null;
  readonly superuser: boolean;
  readonly sessions: number;
}

/** Sessions of the source's database that aren't ours. */
async function visitors({ source, tag }: View): Promise<Visitor[]> {
  return await source.query<Visitor>(
    `SELECT a.usename AS user, coalesce(a.application_name, '') AS application, host(a.client_addr) AS address, r.rolsuper AS superuser, count(*)::int AS sessions
       FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
      WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.application_name NOT LIKE 'steadyhand %'
        AND a.application_name <> $1 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3`,
    [tag],
  );
}

const visitorText = (one: Visitor): string =>
  `${one.sessions} × ${one.user} from ${one.address ?? 'its socket'}${one.application === '' ? '' : ` (${one.application})`}`;

const superusers: Check = {
  name: 'superusers',
  look: async (view) => {
    const there = (await visitors(view)).filter((one) => one.superuser);
    if (there.length === 0) return [];
    const evidence = `superusers are connected to ${view.migration.source}: ${listed(there.map(visitorText), 'sessions')}; a connection limit does not keep them out`;
    if (view.facts.binding.source.superuser)
      return [warns(`${evidence}, so the switch takes their login on the old side away`, 'Let applications log in as ordinary roles.')];
    return [
      blocks(
        `${evidence}, and Steadyhand's own login is no superuser, so it can't either`,
        'Let applications log in as ordinary roles, or give Steadyhand a superuser.',
      ),
    ];
  },
};

/** Who would not be held by the pooler. When the pooler and others come from one address, they are told apart by user. */
const directClients: Check = {
  name: 'direct clients',
  look: async (view) => {
    const { pooler } = view.servers.entry(view.migration.source);
    const all = await visitors(view);
    if (!pooler)
      return all.length === 0
        ? []
        : [
            informs(
              `no pooler: at the switch these are cut off and must reconnect to the new address: ${listed(all.map(visitorText), 'sessions')}`,
            ),
          ];
    const addresses = await lookup(pooler.host, { all: true }).catch(() => []);
    const users = new Set(pooler.users.map((user) => user.name));
    const direct = all.filter(
      (one) => !addresses.some(({ address }) => address === one.address) || (users.size > 0 && !users.has(one.user)),
    );
    return direct.length === 0
      ? []
      : [informs(`these don't come through the pooler and are cut off at the switch: ${listed(direct.map(visitorText), 'sessions')}`)];
  },
};

const replicationLogin: Check = {
  name: 'replication login',
  look: async (view) => {
    const { servers, migration } = view;
    const { server, replication } = servers.entry(migration.source);
    if (!replication) return [];
    const found: Found[] = [...(await rightsOf(view, replication.user))];
    if (replication.passfile !== undefined) {
      return [
        ...found,
        informs(
          `${migration.target} logs in to ${migration.source} as "${replication.user}" by its own password file; it can't be tried from here`,
        ),
      ];
    }
    const as = { name: replication.user, ...(replication.secret ? { secret: replication.secret } : {}) };
    const { host = server.host, port = server.port, sslmode } = replication;
    // With the worker's own authority: that of the target's machine can't be looked at from here.
    const at = { host, port, ...(sslmode === undefined ? {} : { sslmode }) };
    try {
      await (await servers.open(migration.source, { purpose: 'look', as, at })).end();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'unreachable')
        found.push(
          warns(
            `${at.host}:${at.port}, where ${migration.target} logs in to replicate, can't be reached from here: ${error.message}`,
            'Make sure that the target can reach it.',
          ),
        );
      else
        found.push(
          blocks(
            `the login that ${migration.target} replicates with was refused: ${error.message}`,
            'Check user, secret, TLS and pg_hba.conf.',
          ),
        );
    }
    return found;
  },
};

/** Replication needs the attribute, the copy needs to read. */
async function rightsOf({ source, migration, facts }: View, user: string): Promise<Found[]> {
  const [role] = await source.query<{ replicates: boolean; superuser: boolean }>(
    'SELECT rolreplication OR rolsuper AS replicates, rolsuper AS superuser FROM pg_roles WHERE rolname = $1',
    [user],
  );
  if (!role)
    return [
      blocks(
        `there is no role "${user}" on ${migration.source} to replicate with`,
        `CREATE ROLE with LOGIN REPLICATION, and GRANT SELECT on all tables.`,
      ),
    ];
  const unreadable = await source.query<{ name: string }>(
    `SELECT t.schema || '.' || t.name AS name FROM unnest($2::text[], $3::text[]) AS t (schema, name)
       JOIN pg_namespace n ON n.nspname = t.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
      WHERE NOT (has_schema_privilege($1, n.oid, 'USAGE') AND has_table_privilege($1, c.oid, 'SELECT'))`,
    [user, facts.binding.source.tables.map((one) => one.schema), facts.binding.source.tables.map((one) => one.name)],
  );
  const found: Found[] = [];
  if (!role.replicates)
    found.push(
      warns(
        `"${user}" on ${migration.source} has no REPLICATION attribute`,
        'ALTER ROLE … REPLICATION; some providers have a role to grant instead.',
      ),
    );
  if (unreadable.length > 0)
    found.push(
      blocks(
        `"${user}" may not read ${listed(
          unreadable.map((one) => one.name),
          'tables',
        )}`,
        'GRANT USAGE on their schemas and SELECT on them.',
      ),
    );
  return found;
}

export const trafficChecks: readonly Check[] = [
  transactionsOlderThan(60_000),
  superusers,
  directClients,
  writersWithoutLogin,
  otherSubscribers,
  otherReplication,
  replicationLogin,
];
