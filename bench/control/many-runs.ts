import type { ClientBase } from 'pg';

/** Open runs that wait for a lease: `inOne` of them for one database, the others spread evenly over `queues` databases. */
export interface ManyRuns {
  readonly inOne: number;
  readonly others: number;
  readonly queues: number;
  /** When the first of them was requested, in milliseconds; its id has this time. */
  readonly from?: number;
}

/** The database for which `inOne` runs wait. */
export const longQueue = 'orders';

/**
 * Writes the rows of the runs: request, run, place in the queue, one planned change, and the event. The workflows count as started.
 * The first run of each database holds its lease. Needs the owner's rights. Returns the ids, oldest first.
 */
export async function makeManyRuns(client: ClientBase, { inOne, others, queues, from = Date.now() }: ManyRuns): Promise<string[]> {
  const { rows } = await client.query<{ run: string }>(wanted, [inOne, others, queues, from, longQueue]);
  const runs = rows.map(({ run }) => run);
  for (const statement of [requests, requested, openRuns, queue, steps, leases, taken]) await client.query(statement, [runs]);
  await client.query(
    `ANALYZE ${['requests', 'runs', 'queue', 'steps', 'leases', 'events'].map((table) => `steadyhand.${table}`).join(', ')}`,
  );
  return runs;
}

/** The id is a ULID: ten digits of time, sixteen that count. */
const wanted = `
  SELECT 'rehearsal/' || CASE WHEN n % ($1::int + $2::int) < $1 THEN $5::text ELSE 'queue-' || n % $3::int END || '/' || (
      SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (($4::bigint + n >> 5 * digit) & 31)::int + 1, 1), '' ORDER BY digit DESC)
      FROM generate_series(0, 9) digit) || lpad(n::text, 16, '0') AS run
  FROM generate_series(0, $1::int + $2::int - 1) n ORDER BY n`;

const requests = `
  INSERT INTO steadyhand.requests (id, run, requester, idempotency_key, body_digest, started_at)
  SELECT 'request of ' || run, run, 'anna', run, repeat('a', 64), now() FROM unnest($1::text[]) run`;

const requested = `
  INSERT INTO steadyhand.events (run, kind, text)
  SELECT run, 'run.requested', '{"actor":{"channel":"http","kind":"person","name":"anna"},"data":{}}' FROM unnest($1::text[]) run`;

const openRuns = `
  INSERT INTO steadyhand.runs (run, id, request, runbook, version, database, risk, input, requester, channel, state, plan, place)
  SELECT r.run, split_part(r.run, '/', 3), 'request of ' || r.run, 'rehearsal', 1, split_part(r.run, '/', 2), 'low', '{"word":"hello"}',
    'anna', 'http', 'waiting', repeat('b', 64), e.seq
  FROM unnest($1::text[]) r (run) JOIN steadyhand.events e ON e.run = r.run AND e.kind = 'run.requested'`;

const queue = `
  INSERT INTO steadyhand.queue (run, database, place, deadline)
  SELECT run, database, place, now() + interval '1 day' FROM steadyhand.runs WHERE run = ANY ($1)`;

const steps = `
  INSERT INTO steadyhand.steps (run, id, position, kind, title, state)
  SELECT run, 'change', 1, 'change', 'Change it', 'pending' FROM unnest($1::text[]) run`;

const leases = `
  INSERT INTO steadyhand.leases (database, holder, epoch, state)
  SELECT DISTINCT ON (database) database, run, 1, 'held' FROM steadyhand.runs WHERE run = ANY ($1) ORDER BY database, place`;

const taken = `
  INSERT INTO steadyhand.events (run, kind, text)
  SELECT holder, 'lease.taken', format('{"actor":{"channel":"engine","kind":"system","name":"engine"},"data":{"database":%s,"epoch":1}}',
    to_json(database)) FROM steadyhand.leases WHERE holder = ANY ($1)`;
