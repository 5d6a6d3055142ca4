import { initialCopy } from '../../../activities/replication/initial-copy.ts';
import { publish, unpublish } from '../../../activities/replication/publish.ts';
import type { Sides } from '../../../activities/replication/side.ts';
import { subscribe } from '../../../activities/replication/subscribe.ts';
import { unsubscribe } from '../../../activities/replication/unsubscribe.ts';
import { Failure } from '../../../domain/failure.ts';
import { until } from '../../../sandbox/until.ts';
import { createJournal, type Journal, type JournalAttempt } from '../../support/attempt.ts';
import { makeBench, undecided, world, type Bench, type Pair } from '../support.ts';

/** Names that break what does not quote: quotes, a colon as in psql's variables, blanks, capitals, other scripts. */
const hostile = `
  CREATE SCHEMA "Sch""ema'";
  CREATE TABLE "Sch""ema'"."we;ird :'tag' ta""ble" ("Id "" :x" int PRIMARY KEY, "größe ☃" text);
  CREATE TABLE orders (id bigserial PRIMARY KEY, parent bigint REFERENCES orders, note text);
  CREATE TABLE days (day date, n int, PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');`;
const rows = `
  INSERT INTO "Sch""ema'"."we;ird :'tag' ta""ble" SELECT i, 'ü' FROM generate_series(1, 50) i;
  INSERT INTO orders (parent, note) SELECT NULL, 'order ' || i FROM generate_series(1, 500) i;
  INSERT INTO days SELECT '2026-01-15'::date + i, i FROM generate_series(0, 30) i;`;

export interface Move {
  readonly bench: Bench;
  readonly sides: Sides;
  readonly journal: Journal;
  readonly before: readonly unknown[];
}

export async function move(pair: Pair, dbname?: string): Promise<Move> {
  const bench = await makeBench(pair, { schema: hostile, sourceOnly: rows, ...(dbname === undefined ? {} : { dbname }) });
  const { migration, facts } = await bench.prepare();
  return { bench, sides: { servers: bench.servers, migration, facts }, journal: createJournal(), before: await worlds(bench) };
}

export const worlds = async (bench: Bench): Promise<unknown[]> => [await world(bench.source), await world(bench.target)];

/** Looks again and again as the engine does, until the step is done or fails for good. */
export async function waitFor<Result>(step: (attempt: JournalAttempt) => Promise<Result>, next: () => JournalAttempt): Promise<Result> {
  return await until(
    'the step is done',
    async () => {
      try {
        return await step(next());
      } catch (error) {
        if (error instanceof Failure && error.code === 'not-yet') return undefined;
        throw error;
      }
    },
    { withinMs: 30_000, everyMs: 100 },
  );
}

export async function replicating(one: Move): Promise<void> {
  await publish(one.sides, one.journal.attempt('publish'));
  await subscribe(one.sides, one.journal.attempt('subscribe'));
  await waitFor(
    (attempt) => initialCopy(one.sides, attempt),
    () => one.journal.attempt('initial-copy'),
  );
}

export const undo = async ({ sides, journal }: Move): Promise<void> => {
  await unsubscribe(sides, undecided, journal.attempt('subscribe', { undo: true }));
  await unpublish(sides, journal.attempt('publish', { undo: true }));
};

export const count = async (bench: Bench, table: string): Promise<number> =>
  Number((await bench.target.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);
