-- Whether the run has a decision for good: its history holds it, or the run does not take it. Until then the API sends it again.

ALTER TABLE steadyhand.decisions ADD COLUMN delivered_at timestamptz;
-- Those of before were sent once, as they were made.
UPDATE steadyhand.decisions SET delivered_at = coalesce(judged_at, at);
CREATE INDEX decisions_to_deliver ON steadyhand.decisions (at) WHERE delivered_at IS NULL;

-- A refused one changes nothing for its run, so nobody has to hear it.
CREATE FUNCTION steadyhand.undelivered(older_than_ms float8) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT d.id FROM steadyhand.decisions d
  WHERE d.delivered_at IS NULL AND d.counts IS NOT FALSE AND d.at <= now() - older_than_ms * interval '1 millisecond'
  ORDER BY d.at, d.id LIMIT 100
$$;

GRANT UPDATE (delivered_at) ON steadyhand.decisions TO steadyhand_application;
