-- The queue of a database is computed once for a statement, and only for runs that queue.

-- The number of the run's `run.requested` event: its place in every queue.
ALTER TABLE steadyhand.runs ADD COLUMN place bigint;
UPDATE steadyhand.runs r SET place = (SELECT min(e.seq) FROM steadyhand.events e WHERE e.run = r.run AND e.kind = 'run.requested');

CREATE INDEX runs_open_with_others ON steadyhand.runs (run) WHERE state <> 'closed' AND others <> '{}';
CREATE INDEX questions_open ON steadyhand.questions (run, opened_at) WHERE closed_at IS NULL;

-- As in 0013. A condition on `database` reaches each branch, and the index of 0022.
CREATE OR REPLACE VIEW steadyhand.line_rows AS
SELECT named.run, named.database, named.place, q.run IS NOT NULL AS queued, q.deadline, coalesce(q.deadline <= now(), false) AS late,
  request.started_at IS NOT NULL AS started
FROM (
  SELECT r.run, r.database, r.place, r.request, r.plan FROM steadyhand.runs r WHERE r.state <> 'closed'
  UNION ALL
  SELECT r.run, other.database, r.place, r.request, r.plan
  FROM steadyhand.runs r CROSS JOIN LATERAL (SELECT DISTINCT unnest(r.others)) other (database)
  WHERE r.state <> 'closed' AND r.others <> '{}' AND other.database <> r.database
) named
JOIN steadyhand.requests request ON request.id = named.request
LEFT JOIN steadyhand.queue q ON q.run = named.run
WHERE NOT EXISTS (SELECT FROM steadyhand.events e
    WHERE e.run = named.run AND e.kind = 'lease.taken' AND e.text::json #>> '{data,database}' = named.database)
  AND (named.plan IS NULL OR EXISTS (SELECT FROM steadyhand.steps s
    WHERE s.run = named.run AND s.kind = 'change' AND s.state <> 'absent'));

-- For each of the runs that queues: which database it waits for, its place there, and who has or comes before it. That is its own
-- database, or another one that it names, as long as somebody else has that or comes first there. `first`: whose turn it is, null
-- when it is the run's own.
CREATE FUNCTION steadyhand.places_in_line(runs text[]) RETURNS TABLE (run text, waits json) LANGUAGE sql STABLE AS $$
  WITH wanted AS MATERIALIZED (
    SELECT r.run, r.database, r.others FROM steadyhand.queue q JOIN steadyhand.runs r ON r.run = q.run
    WHERE q.run = ANY (places_in_line.runs) AND r.state <> 'closed'),
  -- An array, so that the condition on the view is one on a constant.
  line AS MATERIALIZED (
    SELECT w.*, count(*) FILTER (WHERE NOT w.late)
      OVER (PARTITION BY w.database ORDER BY w.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ahead
    FROM steadyhand.line_rows w
    WHERE w.database = ANY ((SELECT array_agg(named) FROM (SELECT database FROM wanted UNION SELECT unnest(others) FROM wanted) d (named))::text[])
      -- Checked once, before anything is read.
      AND (SELECT count(*) FROM wanted) > 0),
  turn AS MATERIALIZED (
    SELECT first.database, json_build_object('run', r.run, 'state', r.state, 'asks', (
      SELECT coalesce(s.title, q.approval) FROM steadyhand.questions q LEFT JOIN steadyhand.steps s ON s.run = q.run AND s.id = q.approval
      WHERE q.run = r.run AND q.closed_at IS NULL ORDER BY q.opened_at LIMIT 1)) AS first
    FROM (SELECT DISTINCT ON (l.database) l.database, l.run FROM line l WHERE NOT l.late ORDER BY l.database, l.place) first
    JOIN steadyhand.runs r ON r.run = first.run)
  SELECT DISTINCT ON (w.run) w.run, json_build_object('database', line.database, 'place', line.ahead + 1, 'holder', l.holder,
    'state', coalesce(l.state, 'free'), 'since', steadyhand.iso(l.since), 'deadline', steadyhand.iso(line.deadline),
    'first', CASE WHEN line.ahead > 0 THEN turn.first END)
  FROM wanted w JOIN line ON line.run = w.run LEFT JOIN turn ON turn.database = line.database
  LEFT JOIN steadyhand.leases l ON l.database = line.database
  ORDER BY w.run, line.ahead > 0 OR coalesce(l.state, 'free') <> 'free' DESC, line.database = w.database DESC, line.database
$$;

-- For programs of before.
CREATE OR REPLACE FUNCTION steadyhand.place_in_line(run text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT p.waits FROM steadyhand.places_in_line(ARRAY[place_in_line.run]) p
$$;

-- As in 0013, and the place of every run.
CREATE OR REPLACE FUNCTION steadyhand.queue_request(asked json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  made json := steadyhand.create_request(asked, event);
  asked_at bigint;
BEGIN
  IF NOT (made->>'created')::boolean THEN
    RETURN made;
  END IF;
  SELECT e.seq INTO asked_at FROM steadyhand.events e WHERE e.run = asked->>'run' AND e.kind = 'run.requested';
  UPDATE steadyhand.runs r SET place = asked_at,
    others = CASE WHEN asked->'others' IS NULL THEN r.others ELSE ARRAY(SELECT json_array_elements_text(asked->'others')) END
  WHERE r.run = asked->>'run';
  IF asked->>'waitMs' IS NOT NULL THEN
    INSERT INTO steadyhand.queue (run, database, place, deadline)
    VALUES (asked->>'run', asked->>'database', asked_at, now() + (asked->>'waitMs')::float8 * interval '1 millisecond');
  END IF;
  RETURN made;
END $$;
