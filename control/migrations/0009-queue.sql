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
