import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Attempt } from '../../attempt.ts';
import { reload, resume } from '../../pooling/commands.ts';
import { readAlias, writeAlias } from '../../pooling/config-file.ts';
import type { Servers, Session } from '../../postgres/session.ts';
import type { Migration } from '../contract.ts';
import { endEarlierOn } from '../end-earlier.ts';
import type { FenceFacts } from '../facts.ts';
import { dropSnapshot, letIn } from './commands.ts';
import { openSide } from './fence.ts';
import { keptOutByOthers, type JournalOf } from './other-fences.ts';
import { isSuperseded, superseded } from './superseded.ts';
import { openAnyway, openPooler } from './sessions.ts';
import { exporterName } from './switch-facts.ts';

const eachTimeoutMs = 3_000;
const tryAgainMs = 200;
const minute = 60_000;

export interface Restoring {
  readonly servers: Servers;
  readonly migration: Pick<Migration, 'source'>;
  readonly facts: FenceFacts;
  readonly attempt: Attempt;
  /** Whom the fence locked out by name. */
  readonly superusers: readonly string[];
  readonly journalOf: JournalOf;
  /** For each of its parts; a minute when absent. */
  readonly giveUpAfterMs?: number;
}

/**
 * The old side serves again: connection limit or rights to connect, locked-out superusers, alias, RESUME. Everything is tried again until it worked, for
 * a minute or as long as it is told; then `uncertain` is thrown, naming what still holds up traffic. Stops with `superseded` when a newer attempt has begun
 * meanwhile. Never after "no return". Right, and harmless, when nothing was held up.
 */
export async function restoreService(restoring: Restoring): Promise<void> {
  const { servers, migration, attempt, giveUpAfterMs = minute } = restoring;
  const patience = { attempt, giveUpAfterMs };
  const { pooler } = servers.entry(migration.source);
  let lockedOut: string[] = [];
  await untilDone(patience, 'the old side could not be opened again', async () => {
    lockedOut = await openSource(restoring);
  });
  if (pooler) await untilDone(patience, `the pooler's alias ${pooler.alias} could not be resumed`, () => resumeOldSide(restoring, pooler));
  if (lockedOut.length > 0) throw new Failure('uncertain', `the old side serves, but could not be told to let in: ${lockedOut.join('; ')}`);
}

/** Sessions that keep a snapshot of this run on the target, from this attempt or an earlier one, are ended; `own` is not. */
export async function dropSnapshots(attempt: Attempt, target: Session, own = 0): Promise<void> {
  await target.run(dropSnapshot, { exporter: exporterName(attempt.tag), own });
}

/** Returns the superusers that could not be let in again, each with the reason: no cause to let all others wait. */
async function openSource(restoring: Restoring): Promise<string[]> {
  const { servers, migration, facts, attempt } = restoring;
  const { source } = facts.binding;
  const opening = { purpose: 'change', step: attempt.step, statementTimeout: eachTimeoutMs, identity: source } as const;
  const session = await openAnyway(servers, migration.source, source.dbname, opening);
  try {
    // A fence that is still on its way would come down after it was lifted.
    await endEarlierOn(session, 'source');
    attempt.alive();
    await openSide(session, 'source', facts);
    return await letSuperusersIn(session, restoring);
  } finally {
    await session.end();
  }
}

/**
 * Whom another run keeps out is left to its way back. That one opens its side before it looks, as this one did, so the last to look
 * sees that nobody else stands there and lets them in.
 */
async function letSuperusersIn(session: Session, { attempt, superusers, journalOf }: Restoring): Promise<string[]> {
  const lockedOut: string[] = [];
  for (const superuser of superusers) {
    try {
      if ((await keptOutByOthers(session, attempt.tag, journalOf)).includes(superuser)) continue;
      await session.run(letIn, { superuser });
    } catch (error) {
      const gone = error instanceof Failure && error.facts['sqlstate'] === '42704';
      if (!gone) lockedOut.push(`${superuser} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return lockedOut;
}

async function resumeOldSide({ servers, facts, attempt }: Restoring, pooler: PoolerEntry): Promise<void> {
  const old = facts.binding.pooler;
  if (!old) return;
  const console = await openPooler(servers, pooler);
  try {
    const now = await readAlias(pooler.configFile, pooler.alias);
    attempt.alive();
    if (now && (now.host !== old.host || now.port !== old.port || now.dbname !== old.dbname)) {
      await writeAlias(pooler.configFile, pooler.alias, old);
      await console.run(reload, eachTimeoutMs);
    }
    attempt.alive();
    await console.run(resume(pooler.alias), eachTimeoutMs);
    const alias = await console.alias(pooler.alias, eachTimeoutMs);
    if (!alias || alias.paused) throw new Failure('pooler-failed', `the alias ${pooler.alias} is still paused after RESUME`);
  } finally {
    await console.end();
  }
}

type Patience = Required<Pick<Restoring, 'attempt' | 'giveUpAfterMs'>>;

async function untilDone({ attempt, giveUpAfterMs }: Patience, problem: string, act: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + giveUpAfterMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (error instanceof Failure && error.code === 'superseded') throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (Date.now() > deadline) throw new Failure('uncertain', `writes are still held up: ${problem}: ${reason}`, { reason }, error);
      await wait(tryAgainMs);
      if (await isSuperseded(attempt)) throw superseded(attempt, error);
    }
  }
}
