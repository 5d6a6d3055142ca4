import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { World } from './world.ts';

export interface WriterReport {
  readonly acknowledged: ReadonlyMap<number, number>;
  readonly writes: number;
  readonly errors: readonly string[];
  /** Milliseconds between two acknowledged writes, of any client. */
  readonly longestGapMs: number;
}

export interface Writers {
  /** Writes that were acknowledged so far. */
  count(): number;
  stop(): Promise<WriterReport>;
}

/** Writes that were acknowledged and are not on the target. */
export async function lostWrites(world: World, report: WriterReport): Promise<string[]> {
  const rows = await world.target(`SELECT client || '/' || n AS write FROM writes`);
  const there = new Set(rows.map((row) => row.write));
  const acknowledged = [...report.acknowledged].flatMap(([client, last]) => Array.from({ length: last }, (_, n) => `${client}/${n + 1}`));
  return acknowledged.filter((one) => !there.has(one));
}

/** Each client inserts (client, 1), (client, 2) … and repeats the same n until it is acknowledged. */
export function startWriters(endpoints: readonly pg.ClientConfig[], clients: number): Writers {
  const stopping = new AbortController();
  const acknowledged = new Map<number, number>();
  const errors: string[] = [];
  let writes = 0;
  let last = performance.now();
  let longestGapMs = 0;
  const done = (client: number, n: number): void => {
    const now = performance.now();
    if (writes > 0) longestGapMs = Math.max(longestGapMs, now - last);
    last = now;
    writes += 1;
    acknowledged.set(client, n);
  };
  const running = Array.from({ length: clients }, (_, index) => write(endpoints, index + 1, stopping.signal, done, errors));
  return {
    count: () => writes,
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
      return { acknowledged, writes, errors, longestGapMs: Math.round(longestGapMs) };
    },
  };
}

async function write(
  endpoints: readonly pg.ClientConfig[],
  client: number,
  stop: AbortSignal,
  done: (client: number, n: number) => void,
  errors: string[],
): Promise<void> {
  let connection: pg.Client | undefined;
  let turn = 0;
  for (let n = 1; !stop.aborted;) {
    try {
      connection ??= await connect(endpoints[turn % endpoints.length] ?? {});
      await connection.query('INSERT INTO writes (client, n) VALUES ($1, $2) ON CONFLICT DO NOTHING', [client, n]);
      done(client, n);
      n += 1;
      await wait(5);
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
      await connection?.end().catch(() => undefined);
      connection = undefined;
      turn += 1;
      await wait(5);
    }
  }
  await connection?.end().catch(() => undefined);
}

async function connect(config: pg.ClientConfig): Promise<pg.Client> {
  const connection = new pg.Client(config);
  connection.on('error', () => undefined);
  await connection.connect();
  return connection;
}
