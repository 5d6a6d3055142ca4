import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import type { PoolerEntry } from '../../../domain/inventory.ts';
import { pause } from '../../pooling/commands.ts';
import type { Console } from '../../pooling/pgbouncer.ts';
import type { FenceFacts } from '../facts.ts';
import type { Budget } from './budget.ts';
import { endSessions, lockOut } from './commands.ts';
import { gapsInFence, shutSide } from './fence.ts';
import type { Sessions } from './sessions.ts';

const endAgainMs = 2;
/** Before anybody is held up, so it may take a while; a pooler that logs in all the time is paused in the end. */
const loginPatienceMs = 2_000;
const lookTimeoutMs = 2_000;

/** The sessions on the side that is held, and at its pooler. */
export type OldSide = Pick<Sessions, 'source' | 'ours' | 'console'>;

export interface Holding {
  readonly sessions: OldSide;
  readonly facts: FenceFacts;
  readonly pooler: PoolerEntry | undefined;
  /** Superusers that write here and must be locked out by name. */
  readonly superusers: readonly string[];
  readonly budget: Budget;
  /** The attempt's: throws when it was given up meanwhile. */
  alive(): void;
}

/**
 * Holds up every writer: those of the pooler wait in it, all others are kept out and ended. Repeats safely: what is paused and
 * shut already stays so.
 */
export async function holdTraffic(holding: Holding): Promise<void> {
  const { sessions, pooler, budget } = holding;
  const { console } = sessions;
  if (!console || !pooler) {
    budget.begin();
    return await budget.part('fence', () => fence(holding));
  }
  const bySession = await console.sessionPooling(pooler.alias, lookTimeoutMs);
  await noLoginUnderWay(console, pooler.alias);
  budget.begin();
  const pausing = async (): Promise<void> => {
    // A pause that came after another attempt has resumed would never end.
    holding.alive();
    await console.run(pause(pooler.alias), budget.left());
  };
  if (!bySession) {
    await budget.part('pause', pausing);
    return await budget.part('fence', () => fence(holding));
  }
  // With session pooling a PAUSE waits until clients leave: they are ended, and wait in the pooler when they come back.
  await budget.part('pause and fence', async () => {
    await Promise.all([pausing(), fence(holding)]);
  });
}

/** Before "no return": still nobody inside, still shut, still paused. Throws `switch-abandoned`. */
export async function stillHeld({ sessions, facts, pooler, superusers, budget }: Holding): Promise<void> {
  const present = await inside(sessions);
  const gaps = await gapsInFence(sessions.source.look, 'source', facts);
  const [row] = await sessions.source.look.query<{ prepared: number; letIn: string[]; subscriptions: string[] }>(
    `SELECT (SELECT count(*)::int FROM pg_prepared_xacts WHERE database = current_database()) AS prepared,
            ARRAY(SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND rolname = ANY ($1::text[])) AS "letIn",
            ARRAY(SELECT subname::text FROM pg_subscription
                   WHERE subenabled AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())) AS subscriptions`,
    [superusers],
  );
  const alias = pooler && sessions.console ? await sessions.console.alias(pooler.alias, budget.left()) : undefined;
  const wrong = [
    ...present.map((one) => `${one} is in the database`),
    ...gaps,
    ...(row?.letIn ?? []).map((superuser) => `the superuser ${superuser} may log in again`),
    ...(row?.subscriptions ?? []).map((name) => `the subscription ${name} is enabled, so its worker starts again`),
    ...(row?.prepared === 0 ? [] : ['there is a prepared transaction']),
    ...(!pooler || alias?.paused ? [] : [`the pooler's alias ${pooler.alias} is not paused`]),
  ];
  if (wrong.length > 0) {
    throw new Failure('switch-abandoned', `the old side did not stay held: ${wrong.join('; ')}`, { part: 'still held', wrong });
  }
}

/**
 * A PAUSE ends a login of the pooler's own that is under way, and the pooler takes it for one that failed: until its next try
 * (`server_login_retry`) it would refuse every client, when it has long been resumed. RECONNECT and RELOAD change nothing about that.
 */
async function noLoginUnderWay(console: Console, alias: string): Promise<void> {
  const deadline = performance.now() + loginPatienceMs;
  while ((await console.loggingIn(alias, lookTimeoutMs)) > 0 && performance.now() < deadline) await wait(endAgainMs);
}

async function fence({ sessions, facts, superusers, budget, alive }: Holding): Promise<void> {
  const { change } = sessions.source;
  alive();
  await shutSide(change, 'source', facts);
  for (const superuser of superusers) {
    alive();
    await change.run(lockOut, { superuser });
  }
  const ours = `{${sessions.ours.join(',')}}`;
  // Who began before the fence may still get in; who begins after it is turned away, so only these are waited for.
  let slipping = await starting(sessions);
  let present = await inside(sessions);
  while (present.length > 0 || slipping.length > 0) {
    if (budget.signal.aborted) {
      throw new Failure('switch-abandoned', `the old side could not be emptied: ${present.join(', ')}`, { part: 'fence', present });
    }
    await change.run(endSessions(facts), { ours });
    await wait(endAgainMs);
    const now = new Set(await starting(sessions));
    slipping = slipping.filter((pid) => now.has(pid));
    present = await inside(sessions);
  }
}

/**
 * Processes that are just starting a session here. Such a one is in no pg_stat_activity yet, but holds a lock on its database from
 * before it reads the connection limit until it is shown there: so look here first, then at who is inside.
 */
export async function starting({ source, ours }: OldSide): Promise<number[]> {
  const rows = await source.look.query<{ pid: number }>(
    `SELECT pid FROM pg_locks
      WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND pid <> ALL ($1::int[])
        AND objid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [ours],
  );
  return rows.map((row) => row.pid);
}

/** Who can write on the old side: everybody but walsenders, vacuum and ourselves. Who it is is not shown to a role without pg_read_all_stats. */
export async function inside({ source, ours }: OldSide): Promise<string[]> {
  const rows = await source.look.query<{ who: string }>(
    `SELECT concat_ws(' ', backend_type, pid, 'of', usename, application_name) AS who FROM pg_stat_activity
      WHERE datname = current_database() AND coalesce(backend_type, '') NOT IN ('walsender', 'autovacuum worker') AND pid <> ALL ($1::int[])`,
    [ours],
  );
  return rows.map((row) => row.who);
}
