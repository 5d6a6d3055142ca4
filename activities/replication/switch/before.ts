import { Failure } from '../../../domain/failure.ts';
import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Attempt } from '../../attempt.ts';
import { readAliases } from '../../pooling/config-file.ts';
import type { Servers } from '../../postgres/session.ts';
import type { Migration } from '../contract.ts';
import type { MigrationFacts } from '../facts.ts';
import { changedSincePlan } from './fence.ts';
import { keptOutByOthers, type JournalOf } from './other-fences.ts';
import type { Sessions } from './sessions.ts';
import { superusersOf } from './superusers-of.ts';

interface Asked {
  readonly servers: Servers;
  readonly migration: Migration;
  readonly planned: MigrationFacts;
  readonly attempt: Attempt;
  readonly journalOf: JournalOf;
}

/**
 * Writes down how things are before anything is held up: what the fence will change, superusers that will be locked out, the alias. A
 * later attempt sees its own fence, so the first one's picture counts. Returns the superusers. Throws `drift` when the limit or the
 * rights to connect are not the plan's, `privilege-missing` when a superuser is inside and Steadyhand's login cannot end its session.
 */
export async function beforeImage(asked: Asked, sessions: Sessions): Promise<string[]> {
  const { servers, migration, planned, attempt } = asked;
  const { source } = planned.binding;
  const { pooler } = servers.entry(migration.source);
  const changed = attempt.number === 1 ? await changedSincePlan(sessions.source.look, 'source', planned) : undefined;
  if (changed !== undefined) throw new Failure('drift', `${migration.source} has ${changed}`);
  const seen = await superuserWriters(asked, sessions);
  if (seen.length > 0 && !source.superuser) {
    throw new Failure(
      'privilege-missing',
      `superusers are in ${migration.source} (${seen.join(', ')}), and only a superuser could end their sessions: let them leave`,
      { superusers: seen },
    );
  }
  const before = await attempt.intend({
    // By these names the facts find it again while the fence is up.
    ...(source.connects === null ? { sourceLimit: source.connectionLimit } : { sourceConnects: source.connects }),
    superusers: seen,
    ...(pooler ? { alias: pooler.alias, pointsTo: planned.binding.pooler } : {}),
  });
  return superusersOf(before);
}

/**
 * Those who own or may something here by the facts, and those who are inside now; not our own logins. Those that another run has
 * locked out, too: its way back lets them in unless they are kept out of here. Without a superuser of our own only those inside:
 * nobody can keep the others out, and every server has some.
 */
async function superuserWriters(asked: Asked, { source: { look } }: Sessions): Promise<string[]> {
  const { servers, migration, planned, attempt, journalOf } = asked;
  const entry = servers.entry(migration.source);
  const own = [entry.server.user, entry.replication?.user ?? entry.server.user];
  const { roles, superuser } = planned.binding.source;
  const known = superuser ? roles.filter((role) => role.superuser).map((role) => role.name) : [];
  const keptOut = superuser ? await keptOutByOthers(look, attempt.tag, journalOf) : [];
  const rows = await look.query<{ name: string }>(
    `SELECT r.rolname AS name FROM pg_roles r
      WHERE r.rolsuper AND (r.rolcanlogin OR r.rolname = ANY ($3::text[])) AND r.rolname <> ALL ($1::text[])
        AND (r.rolname = ANY ($2::text[])
          OR r.oid IN (SELECT usesysid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'))
      ORDER BY 1`,
    [own, known, keptOut],
  );
  return rows.map((row) => row.name);
}

/**
 * Other aliases that point to the same database would be cut off by the fence and stay behind. Throws `conflict`, naming them.
 */
export async function refuseSharedAlias(pooler: PoolerEntry, planned: MigrationFacts): Promise<void> {
  const old = planned.binding.pooler;
  if (!old) return;
  const shared = [...(await readAliases(pooler.configFile))]
    .filter(([alias, to]) => alias !== pooler.alias && to.host === old.host && to.port === old.port && to.dbname === old.dbname)
    .map(([alias]) => alias);
  if (shared.length === 0) return;
  throw new Failure(
    'conflict',
    `the pooler's ${shared.join(', ')} also lead to this database and would stay behind; remove or rename them`,
    { shared },
  );
}
