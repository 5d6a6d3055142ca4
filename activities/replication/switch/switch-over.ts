import { randomUUID } from 'node:crypto';
import type { NoReturn } from '../../../control/contract.ts';
import { Failure } from '../../../domain/failure.ts';
import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Attempt } from '../../attempt.ts';
import type { Servers } from '../../postgres/session.ts';
import type { Migration, Switched } from '../contract.ts';
import type { MigrationFacts } from '../facts.ts';
import { beforeImage, refuseSharedAlias } from './before.ts';
import { createBudget, type Budget } from './budget.ts';
import { longTransactions, transactionsText } from './busy.ts';
import { goForward } from './forward.ts';
import { createLines, type Lines } from './lines.ts';
import { carrySequences, fixSnapshot, followMarker, makeDurable, sendMarker, warmUp } from './hand-over.ts';
import { holdTraffic, inside, starting, stillHeld } from './hold.ts';
import { decideForward } from './no-return.ts';
import { dropSnapshots, restoreService } from './restore-service.ts';
import { compareSets } from './same-tables.ts';
import { openSessions, type Sessions } from './sessions.ts';
import { exporterName, switchFactsOf, type SwitchFacts } from './switch-facts.ts';

export interface SwitchDependencies {
  readonly servers: Servers;
  /** The facts that are stored under this digest. */
  facts(digest: string): Promise<MigrationFacts>;
  readonly noReturn: NoReturn;
}

const lookTimeoutMs = 3_000;
/** Failures that tell a person more than `switch-abandoned` would. */
const saysItself = new Set<string>(['objects-differ', 'conflict', 'drift', 'privilege-missing', 'identity-changed', 'lease-lost']);

interface Switch extends SwitchDependencies {
  readonly migration: Migration;
  readonly attempt: Attempt;
  readonly planned: MigrationFacts;
  readonly pooler: PoolerEntry | undefined;
  readonly budget: Budget;
}

/**
 * Traffic goes from the source to the target within `limits.pauseMs`, or the source serves again before this throws:
 * `source-busy` (nothing was held up), `objects-differ`, `switch-abandoned` (which part, how long). A new attempt begins with the
 * row of "no return": when it says forward, only what comes after is done, and repeated until it works (`pooler-failed`); else
 * everything is done again with a new marker. Throws `uncertain` when it is not known whether "forward" was written: then
 * nobody touches traffic.
 */
export async function switchOver(deps: SwitchDependencies, migration: Migration, attempt: Attempt): Promise<Switched> {
  const planned = await deps.facts(migration.facts);
  const { pooler } = deps.servers.entry(migration.source);
  const budget = createBudget(migration.limits.pauseMs, attempt);
  const one: Switch = { ...deps, migration, attempt, planned, pooler, budget };
  try {
    const decided = await deps.noReturn.read(attempt.run);
    if (decided?.side === 'back') throw new Failure('conflict', 'it was decided that the old side stays in charge of this run');
    return decided ? await takeUp(one, switchFactsOf(decided.facts)) : await switchFromTheStart(one);
  } finally {
    budget.end();
  }
}

async function switchFromTheStart(one: Switch): Promise<Switched> {
  const { attempt } = one;
  // What an earlier attempt held up is held up still, so from here on a failure restores service.
  const state = { held: attempt.number > 1, superusers: plannedSuperusers(one.planned), decided: false };
  let sessions: Sessions | undefined;
  try {
    sessions = await openSessions({ ...one, facts: one.planned });
    const facts = await untilDecided(one, sessions, state);
    const lines = createLines(one, one.planned, { target: sessions.target.change, console: sessions.console ?? undefined });
    try {
      await goForward({ facts: one.planned, pooler: one.pooler, attempt, budget: one.budget, lines });
    } finally {
      await lines.end();
    }
    const pauseMs = one.budget.spent();
    await attempt.settle('made');
    return { pauseMs, parts: one.budget.parts, markerLsn: facts.markerLsn, sequences: facts.sequences };
  } catch (error) {
    if (state.decided || isUncertain(error)) throw error;
    throw await abandoned(one, state, sessions, error);
  } finally {
    await sessions?.end();
  }
}

/** The steps 1 to 9 of the cutover, up to the decision. */
async function untilDecided(
  one: Switch,
  sessions: Sessions,
  state: { held: boolean; superusers: readonly string[]; decided: boolean },
): Promise<SwitchFacts> {
  const { attempt, planned, pooler, budget, migration } = one;
  if (pooler) await refuseSharedAlias(pooler, planned);
  state.superusers = await beforeImage(one, sessions);
  await refuseBusy(one, sessions);
  // Twice: here it refuses early and fills the sessions' caches, inside the pause it counts.
  await refuseDifferentTables(one, sessions);
  await starting(sessions);
  await inside(sessions);
  await warmUp(sessions, planned, attempt.tag);
  if (attempt.number > 1) await dropSnapshots(attempt, sessions.target.change, sessions.exporter.pid);
  await attempt.current();
  const holding = { sessions, facts: planned, pooler, superusers: state.superusers, budget };

  state.held = true;
  const pausedAt = new Date().toISOString();
  await holdTraffic(holding);
  const fencedAt = new Date().toISOString();
  const token = randomUUID();
  // The marker travels while the sets are compared.
  await budget.part('same tables', () => together([sendMarker(sessions, attempt, token), refuseDifferentTables(one, sessions)]));
  const markerLsn = await budget.part('marker', () => followMarker(sessions, attempt, token, budget));
  await budget.part('durable', () => makeDurable(sessions, attempt, token, budget));
  const sequences = await budget.part('sequences', () => carrySequences(sessions, planned));
  const fixed = await budget.part('snapshot', () => fixSnapshot(sessions, migration.limits.snapshotMs));
  await budget.part('still held', () => stillHeld(holding));
  await budget.part('still the newest', () => attempt.current());
  const facts: SwitchFacts = {
    ...fixed,
    attempt: attempt.number,
    markerLsn,
    sequences,
    pausedAt,
    fencedAt,
    parts: [...budget.parts],
    exporter: exporterName(attempt.tag),
    exporterPid: sessions.exporter.pid,
    decidedAt: new Date().toISOString(),
  };
  const side = await budget.measured('no return', () => decideForward(one.noReturn, attempt, migration.source, facts));
  if (side === 'back') throw new Failure('conflict', 'it was decided that the old side stays in charge of this run');
  state.decided = true;
  return facts;
}

/** An attempt before this one decided: only the rest is done. The pause is from its hold-up until now, by the workers' clocks. */
async function takeUp(one: Switch, facts: SwitchFacts): Promise<Switched> {
  const { attempt, planned, pooler, budget } = one;
  await attempt.intend({});
  const lines = createLines(one, planned, {});
  try {
    const already = await servedByTarget(lines, pooler, planned);
    await goForward({ facts: planned, pooler, attempt, budget, lines });
    await attempt.settle('made');
    const note = already ? `resumed before attempt ${attempt.number} looked` : `taken up by attempt ${attempt.number}`;
    const decidedAfter = facts.parts.reduce((sum, part) => sum + part.ms, 0);
    return {
      pauseMs: already ? decidedAfter : Date.now() - Date.parse(facts.pausedAt),
      parts: [...facts.parts, { part: note, ms: 0 }, ...budget.parts],
      markerLsn: facts.markerLsn,
      sequences: facts.sequences,
    };
  } finally {
    await lines.end();
  }
}

/** Whether the attempt that decided had resumed the pooler before it ended. Without a pooler nobody can tell. */
async function servedByTarget(lines: Lines, pooler: PoolerEntry | undefined, { binding }: MigrationFacts): Promise<boolean> {
  if (!pooler) return false;
  try {
    const live = await (await lines.console())?.alias(pooler.alias, lookTimeoutMs);
    return live !== undefined && !live.paused && live.host === binding.target.host && live.port === binding.target.port;
  } catch {
    // It is tried again, and reported, when it is needed.
    lines.drop();
    return false;
  }
}

function plannedSuperusers(facts: MigrationFacts): string[] {
  // Not our own: nobody has locked it out, and to say LOGIN again would change nothing.
  return facts.binding.source.roles.filter((role) => role.superuser && role.login).map((role) => role.name);
}

async function refuseBusy({ migration, attempt }: Switch, sessions: Sessions): Promise<void> {
  const long = await longTransactions(sessions.source.look, migration.limits.pauseMs, sessions.ours);
  if (long.length === 0) return;
  const text = transactionsText(long);
  attempt.progress({ summary: `not switched yet, busy: ${text}` });
  throw new Failure('source-busy', `${migration.source} has transactions that are open for longer than the budget: ${text}`, {
    transactions: long,
  });
}

async function refuseDifferentTables({ planned, attempt, migration }: Switch, sessions: Sessions): Promise<void> {
  const sets = await compareSets(sessions.source.look, sessions.target.look, planned, attempt.tag);
  const wrong = [...sets.differences, ...sets.notReady.map((table) => `${table} is not copied yet`)];
  if (wrong.length === 0) return;
  throw new Failure('objects-differ', `${migration.source} and ${migration.target}: ${wrong.slice(0, 10).join('; ')}`, {
    wrong: wrong.slice(0, 50),
  });
}

/** Service first; then the failure that says what happened. A superseded attempt touches nothing: the newer one holds traffic. */
async function abandoned(
  one: Switch,
  state: { held: boolean; superusers: readonly string[] },
  sessions: Sessions | undefined,
  error: unknown,
): Promise<unknown> {
  const { attempt, budget, migration } = one;
  if (!state.held) return error;
  const newest = await attempt.current().then(
    () => true,
    (refusal: unknown) => !(refusal instanceof Failure && refusal.code === 'superseded'),
  );
  if (!newest) return new Failure('superseded', `${attempt.step}: a newer attempt is at work; this one left traffic alone`, {}, error);
  const restoring = { ...one, facts: one.planned, superusers: state.superusers };
  await restoreService(restoring);
  const heldMs = budget.spent();
  if (sessions) await dropSnapshots(attempt, sessions.target.change).catch(() => undefined);
  if (attempt.signal.aborted) return attempt.signal.reason;
  if (error instanceof Failure && saysItself.has(error.code)) return error;
  const why = error instanceof Error ? error.message : String(error);
  const part = budget.parts.at(-1)?.part ?? 'opening the sessions';
  return new Failure(
    'switch-abandoned',
    `${migration.source} serves again on the old side after ${heldMs} ms; the switch failed at "${part}": ${why}`,
    { part, heldMs, parts: budget.parts, ...(error instanceof Failure ? { because: error.code } : {}) },
    error,
  );
}

/** All of them end before the first failure is thrown. */
async function together(acts: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(acts);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

function isUncertain(error: unknown): boolean {
  return error instanceof Failure && error.code === 'uncertain' && error.facts.part === 'no return';
}
