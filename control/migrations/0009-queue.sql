-- Runs that wait for the lease of their database instead of being refused.

-- Written with the request and never changed. Who waits is derived: a run that is open and never held the lease.
CREATE TABLE steadyhand.queue (
  run text PRIMARY KEY REFERENCES steadyhand.runs,
  database text NOT NULL,
  -- The number of its `run.requested` event: the order of the record is the order of the line.
  place bigint NOT NULL UNIQUE,
  deadline timestamptz NOT NULL
);
CREATE INDEX queue_of_database ON steadyhand.queue (database, place);

-- `late`: its time is over; it is not in anybody's way any more, though its run may not have closed yet.
CREATE VIEW steadyhand.waiting_rows AS
SELECT q.run, q.database, q.place, q.deadline, q.deadline <= now() AS late, request.started_at IS NOT NULL AS started
FROM steadyhand.queue q JOIN steadyhand.runs r ON r.run = q.run JOIN steadyhand.requests request ON request.id = r.request
WHERE r.state <> 'closed' AND NOT EXISTS (SELECT FROM steadyhand.events e WHERE e.run = q.run AND e.kind = 'lease.taken');

-- Where the run stands, and who has what it waits for; null when it waits for no lease.
CREATE FUNCTION steadyhand.place_in_line(run text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
    'place', (SELECT count(*) FROM steadyhand.waiting_rows b
      WHERE b.database = w.database AND (b.run = w.run OR b.place < w.place AND NOT b.late)),
    'holder', l.holder, 'state', coalesce(l.state, 'free'), 'since', steadyhand.iso(l.since), 'deadline', steadyhand.iso(w.deadline))
  FROM steadyhand.waiting_rows w LEFT JOIN steadyhand.leases l ON l.database = w.database
  WHERE w.run = place_in_line.run
$$;

-- `create_request`, and for one that is to wait its place in the line, in the same transaction.
CREATE FUNCTION steadyhand.queue_request(asked json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  made json := steadyhand.create_request(asked, event);
BEGIN
  IF (made->>'created')::boolean AND asked->>'waitMs' IS NOT NULL THEN
    INSERT INTO steadyhand.queue (run, database, place, deadline)
    SELECT e.run, asked->>'database', e.seq, now() + (asked->>'waitMs')::float8 * interval '1 millisecond'
    FROM steadyhand.events e WHERE e.run = asked->>'run' AND e.kind = 'run.requested';
  END IF;
  RETURN made;
END $$;

GRANT SELECT ON steadyhand.waiting_rows TO steadyhand_application;
GRANT SELECT, INSERT ON steadyhand.queue TO steadyhand_application;

-- What runs that have ended left behind under leases that nobody has released: one row for such a run, `leases` are their databases.
CREATE VIEW steadyhand.leftover_rows AS
SELECT r.run, r.database, r.input, r.outcome, r.because, steadyhand.iso(r.closed_at) AS "closedAt", r.plan, l.lease, l.leases,
  EXISTS (SELECT FROM steadyhand.no_return n WHERE n.run = r.run AND n.side = 'forward') AS "noReturn",
  (SELECT coalesce(json_agg(json_build_object('key', i.key, 'run', i.run, 'step', i.step, 'before', i.before, 'at', i."at",
      'outcome', i.outcome) ORDER BY i.moment, i.key), '[]') FROM steadyhand.left_behind(r.run) i) AS intents
FROM steadyhand.runs r
JOIN (SELECT holder, CASE WHEN bool_or(state = 'held') THEN 'held' ELSE 'orphaned' END AS lease, json_agg(database ORDER BY database) AS leases
  FROM steadyhand.leases WHERE state <> 'free' GROUP BY holder) l ON l.holder = r.run
WHERE r.state = 'closed';

-- What was taken back after the run's end. Its leases are free when nothing is left, else orphaned as before. Once for each asking.
-- `left_behind` is JSON null when it was refused: then what the run left is as it was. `lease_events`: a text for each database.
CREATE FUNCTION steadyhand.clear_run(run text, asked bigint, left_behind json, lease_events json, event text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  refused boolean := left_behind::text = 'null';
  nothing_left boolean := NOT refused AND left_behind::text = '[]';
  settled text[];
  one text;
BEGIN
  PERFORM steadyhand.lock_run(run);
  IF EXISTS (SELECT FROM steadyhand.events e
    WHERE e.run = clear_run.run AND e.kind = 'run.cleared' AND (e.text::json #>> '{data,asked}')::bigint = asked) THEN
    RETURN;
  END IF;
  IF NOT refused THEN
    UPDATE steadyhand.runs r SET left_behind = clear_run.left_behind WHERE r.run = clear_run.run;
  END IF;
  WITH changed AS (
    UPDATE steadyhand.leases l SET state = CASE WHEN nothing_left THEN 'free' ELSE 'orphaned' END, since = now()
    WHERE l.holder = clear_run.run AND (l.state = 'held' OR l.state = 'orphaned' AND nothing_left) RETURNING l.database
  ) SELECT array_agg(database ORDER BY database) INTO settled FROM changed;
  FOREACH one IN ARRAY coalesce(settled, '{}') LOOP
    PERFORM steadyhand.append_event(run, CASE WHEN nothing_left THEN 'lease.released' ELSE 'lease.orphaned' END, lease_events->>one);
  END LOOP;
  PERFORM steadyhand.append_event(run, 'run.cleared', event);
END $$;

GRANT SELECT ON steadyhand.leftover_rows TO steadyhand_application;
