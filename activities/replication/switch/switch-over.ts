import { randomUUID } from 'node:crypto';
import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Migration, Switched } from '../contract.ts';
import { loginlessWriters, writersText } from '../../postgres/loginless-writers.ts';
import { endEarlierOn } from '../end-earlier.ts';
import { carriedSlots } from '../subscribers/commands.ts';
import { refuseChangedDefinitions } from '../unchanged-definitions.ts';
import { abandon } from './abandon.ts';
import { beforeImage, refuseSharedAlias } from './before.ts';
import { carriedConfiguration } from '../configuration-commands.ts';
import { carryConfiguration, filledConfiguration, tryConfiguration } from './carry-configuration.ts';
import { createBudget } from './budget.ts';
import { longTransactions, transactionsText } from './busy.ts';
import { goForward } from './forward.ts';
import { carrySequences, fixSnapshot, followMarker, makeDurable, moveSubscribers, sendMarker, warmUp } from './hand-over.ts';
import { holdTraffic, inside, starting, stillHeld } from './hold.ts';
import { createLines } from './lines.ts';
import { decideForward } from './no-return.ts';
import { dropSnapshots } from './restore-service.ts';
import { compareSets } from './same-tables.ts';
import { openSessions, type Sessions } from './sessions.ts';
import { superusersOf } from './superusers-of.ts';
import { exporterName, switchFactsOf, type SwitchFacts } from './switch-facts.ts';
import { takeUp } from './take-up.ts';
import type { Switch, SwitchDependencies } from './under-way.ts';

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

interface State {
  begun: boolean;
  /** Whom the fence has locked out, or is about to: an earlier attempt, and then this one. */
  superusers: readonly string[];
  decided: boolean;
}

async function switchFromTheStart(one: Switch): Promise<Switched> {
  const { attempt, migration } = one;
  const state: State = { begun: false, superusers: superusersOf(attempt.intended), decided: false };
  let sessions: Sessions | undefined;
  try {
    sessions = await openSessions({ ...one, facts: one.planned });
    const facts = await untilDecided(one, sessions, state);
    const { look, change: target } = sessions.target;
    const lines = createLines(one, one.planned, { target, look, console: sessions.console ?? undefined });
    try {
      await goForward({ migration, facts: one.planned, pooler: one.pooler, attempt, budget: one.budget, lines });
    } finally {
      await lines.end();
    }
    const pauseMs = one.budget.spent();
    await attempt.settle('made');
    return { pauseMs, parts: one.budget.parts, markerLsn: facts.markerLsn, sequences: facts.sequences, lockedOut: facts.lockedOut };
  } catch (error) {
    if (state.decided || isUncertain(error)) throw error;
    // Also what an earlier attempt held up is held up still.
    throw await abandon(one, { ...state, sessions, error });
  } finally {
    await sessions?.end();
  }
}

/** The steps 1 to 9 of the cutover, up to the decision. */
async function untilDecided(one: Switch, sessions: Sessions, state: State): Promise<SwitchFacts> {
  const { attempt, planned, pooler, budget, migration } = one;
  const carries = carriedConfiguration(migration, planned).length > 0;
  if (pooler) await refuseSharedAlias(pooler, planned);
  if (attempt.intended === null) await refuseFilledConfiguration(one, sessions);
  state.superusers = await beforeImage(one, sessions);
  await refuseBusy(one, sessions);
  await refuseLoginless(one, sessions);
  // Twice: here it refuses early and fills the sessions' caches, inside the pause it counts.
  await refuseDifferentTables(one, sessions);
  await starting(sessions);
  await inside(sessions);
  if (carries) await tryConfiguration(sessions, migration, planned);
  await warmUp(sessions, planned, attempt.tag);
  const subscribers = carriedSlots(migration, planned);
  // Most of the way before anybody is held up.
  await moveSubscribers(sessions, subscribers);
  await attempt.current();
  if (attempt.number > 1) await endEarlier(one, sessions);
  const holding = { sessions, facts: planned, pooler, superusers: state.superusers, budget, alive: () => attempt.alive() };

  state.begun = true;
  const pausedAt = new Date().toISOString();
  await holdTraffic(holding);
  const fencedAt = new Date().toISOString();
  const token = randomUUID();
  // The marker travels while the sets are compared.
  const markerLsn = await budget.part('same tables', () => together(sendMarker(sessions, token), refuseDifferentTables(one, sessions)));
  await budget.part('marker', () => followMarker(sessions, attempt.tag, markerLsn, budget));
  await budget.part('durable', () => makeDurable(sessions, token, budget));
  // Before the subscribers' slots: they must not get these rows once more.
  if (carries) await budget.part('extension rows', () => carryConfiguration(sessions, migration, planned));
  if (subscribers.length > 0) await budget.part('subscribers', () => moveSubscribers(sessions, subscribers));
  const sequences = await budget.part('sequences', () => carrySequences(sessions, planned));
  const fixed = await budget.part('snapshot', () => fixSnapshot(sessions, migration.limits.snapshotMs));
  await budget.part('still held', () => stillHeld(holding));
  await budget.part('still the newest', () => attempt.current());
  const facts: SwitchFacts = {
    ...fixed,
    attempt: attempt.number,
    markerLsn,
    sequences,
    lockedOut: [...state.superusers],
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

/** What attempts before this one left running, or on its way. */
async function endEarlier({ attempt }: Switch, { source, target, exporter }: Sessions): Promise<void> {
  await endEarlierOn(source.change, 'source');
  await endEarlierOn(target.change, 'target');
  await dropSnapshots(attempt, target.change, exporter.pid);
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

/** They start again after they were ended, also when the old side is closed. */
async function refuseLoginless({ servers, migration }: Switch, { source }: Sessions): Promise<void> {
  const { writers } = await loginlessWriters({ servers, database: migration.source, session: source.look });
  if (writers.length === 0) return;
  throw new Failure('source-busy', `${migration.source} is written to without a login: ${writersText(writers)}`, {
    fixes: writers.map(({ fix }) => fix),
  });
}

/** With the schema copied, what is there came with CREATE EXTENSION. */
async function refuseFilledConfiguration({ migration, planned }: Switch, { target }: Sessions): Promise<void> {
  if (migration.schema === 'copy') return;
  const filled = await filledConfiguration(target.look, carriedConfiguration(migration, planned));
  if (filled.length === 0) return;
  throw new Failure('drift', `${migration.target} has rows that the switch would replace, in ${filled.join(', ')}: remove them there`, {
    filled,
  });
}

async function refuseDifferentTables({ planned, attempt, migration }: Switch, sessions: Sessions): Promise<void> {
  await refuseChangedDefinitions(sessions.source.look, migration.source, planned);
  const sets = await compareSets(sessions.source.look, sessions.target.look, planned, attempt.tag);
  const wrong = [...sets.differences, ...sets.notReady.map((table) => `${table} is not copied yet`)];
  if (wrong.length === 0) return;
  throw new Failure('objects-differ', `${migration.source} and ${migration.target}: ${wrong.slice(0, 10).join('; ')}`, {
    wrong: wrong.slice(0, 50),
  });
}

/** Both end before the first failure is thrown. Returns what the first one did. */
async function together<Result>(first: Promise<Result>, second: Promise<void>): Promise<Result> {
  await Promise.allSettled([first, second]);
  await second;
  return await first;
}

function isUncertain(error: unknown): boolean {
  return error instanceof Failure && error.code === 'uncertain' && error.facts.part === 'no return';
}
