import type { ClientBase } from 'pg';

/** Who did it, in events that were made: the engine, in each hundredth one a person, in each hundred-thousandth one another person. */
const actors = { engine: 'engine', frequent: 'anna', rare: 'zoe' } as const;

/**
 * Appends `count` events that continue the chain, a second apart, each with the hash that the trigger would have given it. Needs a
 * superuser's rights: the table's triggers are off meanwhile, which makes it a hundred times faster.
 */
export async function makeManyEvents(client: ClientBase, count: number): Promise<void> {
  await client.query('BEGIN');
  await client.query('ALTER TABLE steadyhand.events DISABLE TRIGGER ALL');
  await client.query(chained);
  await client.query('INSERT INTO steadyhand.events (seq, at, run, kind, text, previous, hash) SELECT * FROM pg_temp.chained_events($1)', [
    count,
  ]);
  await client.query('ALTER TABLE steadyhand.events ENABLE ALWAYS TRIGGER chain, ENABLE ALWAYS TRIGGER append_only');
  await client.query('COMMIT');
  await client.query('VACUUM ANALYZE steadyhand.events');
}

const kinds = ['step.running', 'step.done', 'attempt.intended', 'attempt.settled', 'run.state', 'evidence.recorded'];

/** The hash is that of steadyhand.event_hash, written out: a call of it for each row would take five times as long. */
const chained = `
  CREATE OR REPLACE FUNCTION pg_temp.chained_events(count integer)
  RETURNS TABLE (seq bigint, at timestamptz, run text, kind text, text text, previous text, hash text)
  LANGUAGE plpgsql SET timezone = 'UTC' AS $$
  DECLARE
    kinds text[] := '{${kinds.join(',')}}';
    name text;
    since timestamptz;
    n bigint;
  BEGIN
    SELECT e.seq, e.hash, e.at INTO n, hash, since FROM steadyhand.events e ORDER BY e.seq DESC LIMIT 1;
    n := coalesce(n, 0);
    hash := coalesce(hash, repeat('0', 64));
    since := coalesce(since, now() - interval '1 year');
    FOR i IN 1..count LOOP
      seq := n + i;
      at := since + i * interval '1 second';
      run := 'rehearsal/orders/' || lpad(upper(to_hex(seq / 40)), 26, '0');
      kind := CASE WHEN i % 100 = 0 THEN 'decision.made' ELSE kinds[1 + i % 6] END;
      name := CASE WHEN i % 100000 = 0 THEN '${actors.rare}' WHEN i % 100 = 0 THEN '${actors.frequent}' ELSE '${actors.engine}' END;
      text := '{"actor":{"channel":"engine","kind":"system","name":"' || name
        || '"},"data":{"because":null,"generation":1,"state":"done","step":"step-' || seq % 40 || '"}}';
      previous := hash;
      hash := encode(sha256(convert_to(previous || E'\\n' || seq || E'\\n' || to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || E'\\n'
        || run || E'\\n' || kind || E'\\n' || text, 'UTF8')), 'hex');
      RETURN NEXT;
    END LOOP;
  END $$`;
