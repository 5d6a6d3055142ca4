import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { ensure, type Observation } from '../engine/ensure.ts';
import type { Servers, Session } from '../postgres/session.ts';
import type { Migration } from './contract.ts';
import type { MigrationFacts } from './facts.ts';
import { endClients, shut, unshut } from './switch/commands.ts';

interface Dependencies {
  readonly servers: Servers;
  facts(digest: string): Promise<MigrationFacts>;
}

/**
 * Nobody but superusers can connect to the target, and who was in has left. Repeats safely. Throws `privilege-missing` when our
 * own login is no superuser: it would lock itself out.
 */
export async function closeTarget({ servers, facts }: Dependencies, migration: Migration, attempt: Attempt): Promise<void> {
  const planned = await facts(migration.facts);
  if (!planned.binding.target.superuser) {
    throw new Failure(
      'privilege-missing',
      `${migration.target} cannot be closed: Steadyhand's login there is no superuser and would lock itself out`,
    );
  }
  const look = await servers.open(migration.target, { purpose: 'look', identity: planned.binding.target });
  try {
    await ensure<void>(attempt, {
      observe: () => closed(look),
      act: async () => {
        await inTarget({ servers, migration, planned, attempt }, async (session) => {
          await session.run(shut('target', planned));
          await session.run(endClients);
        });
      },
    });
  } finally {
    await look.end();
  }
}

/** The undo: the target has the connection limit of the facts again. Right when it was never closed. */
export async function reopenTarget({ servers, facts }: Dependencies, migration: Migration, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const planned = await facts(migration.facts);
  await attempt.intend({});
  await attempt.current();
  await inTarget({ servers, migration, planned, attempt }, async (session) => {
    await session.run(unshut('target', planned));
  });
  await attempt.settle('undone');
}

async function closed(look: Session): Promise<Observation<void>> {
  const [row] = await look.query<{ limit: number; clients: number }>(
    `SELECT datconnlimit AS limit,
            (SELECT count(*)::int FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
              WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND NOT r.rolsuper) AS clients
       FROM pg_database WHERE datname = current_database()`,
  );
  if (row?.limit === 0 && row.clients === 0) return { state: 'there', result: undefined };
  // A session that slipped in with the fence is ended by doing it again.
  return { state: 'absent', before: { connectionLimit: row?.limit ?? -1 } };
}

interface Change {
  readonly servers: Servers;
  readonly migration: Migration;
  readonly planned: MigrationFacts;
  readonly attempt: Attempt;
}

async function inTarget({ servers, migration, planned, attempt }: Change, act: (session: Session) => Promise<void>): Promise<void> {
  const session = await servers.open(migration.target, { purpose: 'change', step: attempt.step, identity: planned.binding.target });
  try {
    await act(session);
  } finally {
    await session.end();
  }
}
