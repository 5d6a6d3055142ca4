import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { ensure, type Observation } from '../engine/ensure.ts';
import type { Servers, Session } from '../postgres/session.ts';
import type { Migration } from './contract.ts';
import type { MigrationFacts } from './facts.ts';
import { endClients } from './switch/commands.ts';
import { gapsInFence, openSide, shutSide } from './switch/fence.ts';

interface Dependencies {
  readonly servers: Servers;
  facts(digest: string): Promise<MigrationFacts>;
}

/**
 * Nobody can connect to the target but superusers and Steadyhand itself, and who was in has left. Repeats safely. Throws
 * `privilege-missing` when a role that is no superuser still could come in.
 */
export async function closeTarget({ servers, facts }: Dependencies, migration: Migration, attempt: Attempt): Promise<void> {
  const planned = await facts(migration.facts);
  const look = await servers.open(migration.target, { purpose: 'look', identity: planned.binding.target });
  try {
    await ensure<void>(attempt, {
      observe: () => closed(look, planned),
      act: async () => {
        await inTarget({ servers, migration, planned, attempt }, async (session) => {
          await shutSide(session, 'target', planned);
          await session.run(endClients);
        });
        const gaps = await gapsInFence(look, 'target', planned);
        if (gaps.length > 0) throw new Failure('privilege-missing', `${migration.target} cannot be closed: ${gaps.join('; ')}`);
      },
    });
  } finally {
    await look.end();
  }
}

/** The undo: the target lets in whom it let in by the facts. Right when it was never closed. */
export async function reopenTarget({ servers, facts }: Dependencies, migration: Migration, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const planned = await facts(migration.facts);
  await attempt.intend({});
  await attempt.current();
  await inTarget({ servers, migration, planned, attempt }, async (session) => {
    await openSide(session, 'target', planned);
  });
  await attempt.settle('undone');
}

async function closed(look: Session, planned: MigrationFacts): Promise<Observation<void>> {
  const gaps = await gapsInFence(look, 'target', planned);
  const [row] = await look.query<{ limit: number; clients: number }>(
    `SELECT datconnlimit AS limit,
            (SELECT count(*)::int FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
              WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND NOT r.rolsuper
                AND a.usename <> current_user) AS clients
       FROM pg_database WHERE datname = current_database()`,
  );
  if (gaps.length === 0 && row?.clients === 0) return { state: 'there', result: undefined };
  // A session that slipped in with the fence is ended by doing it again.
  const { connects } = planned.binding.target;
  return { state: 'absent', before: connects === null ? { connectionLimit: row?.limit ?? -1 } : { connects } };
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
