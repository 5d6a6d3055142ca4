import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { ensure, type Observation } from '../engine/ensure.ts';
import type { Session } from '../postgres/session.ts';
import { filledTables } from '../postgres/filled-tables.ts';
import { makeSlot, makeSubscription } from './commands.ts';
import { conninfo, replicationLogin } from './conninfo.ts';
import { endEarlierSessions } from './end-earlier.ts';
import { replicatedTables } from './facts.ts';
import { changing, looking, type Sides } from './side.ts';
import { isForeign, runSlot, type Slot } from './slots.ts';
import { foreignSubscription, isForeignSubscription, runSubscription, type Subscription } from './subscription.ts';

/** Making the slot waits for the source's running transactions. */
const slotTimeoutMs = 120_000;

/**
 * The slot on the source, then the subscription on the target that uses it, which starts the initial copy. Repeats safely: both
 * are adopted by tag, a slot whose subscription was never made too. Journal: the tables that were empty before, for the undo.
 * Raises `preflight-blocked` when a table of the target holds rows, `foreign-object` when a name is taken, `drift` when the slot
 * of a subscription is gone, `login-refused` when the target may not log in to the source.
 */
export async function subscribe(sides: Sides, attempt: Attempt): Promise<void> {
  await endEarlierSessions(sides, attempt);
  await ensure(attempt, {
    observe: async () => await observe(sides, attempt.tag),
    act: async () => {
      const slot = await looking(sides, 'source', async (session) => await runSlot(session, attempt.tag));
      if (!slot) {
        await changing(sides, 'source', attempt, async (session) => await session.run(makeSlot, { tag: attempt.tag }), slotTimeoutMs);
      }
      await createSubscription(sides, attempt);
    },
  });
}

async function observe(sides: Sides, tag: string): Promise<Observation<void>> {
  const slot = await looking(sides, 'source', async (session) => await runSlot(session, tag));
  return await looking(sides, 'target', async (session) => {
    const seen = judge(sides, tag, slot, await runSubscription(session, tag));
    return seen.state === 'absent' ? { state: 'absent', before: { emptied: await emptyNow(sides, session) } } : seen;
  });
}

function judge(sides: Sides, tag: string, slot: Slot | undefined, subscription: Subscription | undefined): Observation<void> {
  const { source, target } = sides.migration;
  if (slot && isForeign(slot)) return { state: 'foreign', what: `${source} has a replication slot "${tag}" of another kind or database` };
  if (!subscription) return { state: 'absent' };
  if (isForeignSubscription(subscription, tag)) return { state: 'foreign', what: foreignSubscription(sides, tag) };
  if (!slot || subscription.slot === null) {
    return { state: 'drifted', what: `the subscription "${tag}" on ${target} has lost its slot on ${source}; start the step again` };
  }
  return { state: 'there', result: undefined };
}

/** The replicated tables; all of them must be empty. */
async function emptyNow(sides: Sides, session: Session): Promise<{ schema: string; name: string }[]> {
  const tables = replicatedTables(sides.facts).map(({ schema, name }) => ({ schema, name }));
  const filled = await filledTables(session, tables);
  if (filled.length === 0) return tables;
  const names = filled.slice(0, 10).map(qualified).join(', ');
  throw new Failure('preflight-blocked', `${sides.migration.target} holds rows already, in ${filled.length} tables: ${names}`, {
    tables: filled,
  });
}

async function createSubscription(sides: Sides, attempt: Attempt): Promise<void> {
  const { servers, migration, facts } = sides;
  const entry = servers.entry(migration.source);
  const password = await servers.secret(entry.replication ? entry.replication.secret : entry.server.secret);
  const login = replicationLogin(entry, password, attempt.tag);
  try {
    await changing(sides, 'target', attempt, async (session) => {
      if (login.password !== undefined) await hideStatements(session);
      await session.run(makeSubscription(facts), { tag: attempt.tag, conninfo: conninfo(login) });
    });
  } catch (error) {
    throw refusedByTls(error, migration.target) ?? loginRefused(error, migration.target, login.user) ?? error;
  }
}

/** Keeps the password out of the server's log and statistics, as far as this role may decide. */
const hiding = [
  "SET log_statement = 'none'",
  "SET log_min_error_statement = 'panic'",
  // What an event trigger of the target's says of the statement; the run tells its failure itself, redacted.
  "SET log_min_messages = 'panic'",
  'SET log_min_duration_statement = -1',
  'SET log_min_duration_sample = -1',
  'SET log_transaction_sample_rate = 0',
  'SET track_activities = off',
  'SET pg_stat_statements.track_utility = off',
  'SET pgaudit.log_statement = off',
];

async function hideStatements(session: Session): Promise<void> {
  for (const setting of hiding) await session.query(setting).catch(passOver);
}

/** Older versions lack some of them, and some need a right; preflight tells when a password would be logged. */
function passOver(error: unknown): void {
  if (!(error instanceof Failure) || !['privilege-missing', 'server-error'].includes(error.code)) throw error;
}

/** The target checks the source's certificate with libpq, on its own machine. */
function refusedByTls(error: unknown, target: string): Failure | undefined {
  if (!(error instanceof Failure)) return undefined;
  if (!/SSL error|certificate|does not support SSL/.test(error.message)) return undefined;
  return new Failure(
    'tls-refused',
    `${target} did not trust the source, to which it logs in to replicate: ${error.message}.` +
      ' It checks with replication.sslrootcert, a file on its own machine, else with ~/.postgresql/root.crt of the user that it runs as',
    { target },
    error,
  );
}

function loginRefused(error: unknown, target: string, user: string): Failure | undefined {
  if (!(error instanceof Failure) || !/authentication failed|no pg_hba\.conf entry|no password supplied/.test(error.message))
    return undefined;
  return new Failure(
    'login-refused',
    `the source refused ${target}, which logs in as "${user}" to replicate: ${error.message}`,
    { user },
    error,
  );
}
