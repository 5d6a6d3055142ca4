-- As in 0015, the first ones of each run before the second ones: a run that takes none, with hundreds of answers, hides no other run's.
CREATE OR REPLACE FUNCTION steadyhand.undelivered(older_than_ms float8) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT waiting.id FROM (
    SELECT d.id, d.at, row_number() OVER (PARTITION BY d.run ORDER BY d.at, d.id) AS place FROM steadyhand.decisions d
    WHERE d.delivered_at IS NULL AND d.counts IS NOT FALSE AND d.at <= now() - older_than_ms * interval '1 millisecond'
  ) waiting ORDER BY waiting.place, waiting.at, waiting.id LIMIT 100
$$;
