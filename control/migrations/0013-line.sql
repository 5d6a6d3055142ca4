-- The whole line of a database: runs that wait for its lease, and runs that don't and were asked for before them.

-- Other databases that the run's input names, such as the target of a move: it takes their leases as well.
ALTER TABLE steadyhand.runs ADD COLUMN others text[] NOT NULL DEFAULT '{}';

-- The databases whose lease the run has, or had.
CREATE FUNCTION steadyhand.leased_by(run text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT DISTINCT e.text::json #>> '{data,database}' FROM steadyhand.events e WHERE e.run = leased_by.run AND e.kind = 'lease.taken'
$$;

-- The open runs that may still take the lease of a database, and have not had it. The order of the record is the order of the line,
-- also for a run that does not wait (not `queued`): it takes the lease when people have agreed, long after it was asked for. One
-- whose plan changes nothing never takes any. `late`: its time is over, it is not in anybody's way any more.
CREATE VIEW steadyhand.line_rows AS
SELECT r.run, named.database, asked.seq AS place, q.run IS NOT NULL AS queued, q.deadline, coalesce(q.deadline <= now(), false) AS late,
  request.started_at IS NOT NULL AS started
FROM steadyhand.runs r JOIN steadyhand.requests request ON request.id = r.request
CROSS JOIN LATERAL (SELECT r.database UNION SELECT unnest(r.others)) named (database)
CROSS JOIN LATERAL (SELECT min(e.seq) AS seq FROM steadyhand.events e WHERE e.run = r.run AND e.kind = 'run.requested') asked
LEFT JOIN steadyhand.queue q ON q.run = r.run
WHERE r.state <> 'closed' AND NOT EXISTS (SELECT FROM steadyhand.leased_by(r.run) had WHERE had = named.database)
  AND (r.plan IS NULL OR EXISTS (SELECT FROM steadyhand.steps s WHERE s.run = r.run AND s.kind = 'change' AND s.state <> 'absent'));

-- The run whose turn it is: what it does, and the title of what it asks people.
CREATE FUNCTION steadyhand.first_in_line(called text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('run', r.run, 'state', r.state, 'asks', (
    SELECT coalesce(s.title, q.approval) FROM steadyhand.questions q LEFT JOIN steadyhand.steps s ON s.run = q.run AND s.id = q.approval
    WHERE q.run = r.run AND q.closed_at IS NULL ORDER BY q.opened_at LIMIT 1))
  FROM steadyhand.line_rows w JOIN steadyhand.runs r ON r.run = w.run WHERE w.database = called AND NOT w.late ORDER BY w.place LIMIT 1
$$;

-- As in 0009, for the database that the run waits for: its own, or another one that it names, as long as somebody else has that or
-- comes first there. `first`: whose turn it is, null when it is the run's own. The view `waiting_rows` stays for programs of before.
CREATE OR REPLACE FUNCTION steadyhand.place_in_line(run text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('database', w.database, 'place', ahead.runs + 1, 'holder', l.holder, 'state', coalesce(l.state, 'free'),
    'since', steadyhand.iso(l.since), 'deadline', steadyhand.iso(w.deadline),
    'first', CASE WHEN ahead.runs > 0 THEN steadyhand.first_in_line(w.database) END)
  FROM steadyhand.queue q JOIN steadyhand.line_rows w ON w.run = q.run LEFT JOIN steadyhand.leases l ON l.database = w.database
  CROSS JOIN LATERAL (
    SELECT count(*) AS runs FROM steadyhand.line_rows b WHERE b.database = w.database AND b.place < w.place AND NOT b.late) ahead
  WHERE q.run = place_in_line.run
  ORDER BY ahead.runs > 0 OR coalesce(l.state, 'free') <> 'free' DESC, w.database = q.database DESC, w.database LIMIT 1
$$;

-- As in 0009, and the other databases that the run names.
CREATE OR REPLACE FUNCTION steadyhand.queue_request(asked json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  made json := steadyhand.create_request(asked, event);
BEGIN
  IF NOT (made->>'created')::boolean THEN
    RETURN made;
  END IF;
  UPDATE steadyhand.runs r SET others = ARRAY(SELECT json_array_elements_text(asked->'others'))
  WHERE r.run = asked->>'run' AND asked->'others' IS NOT NULL;
  IF asked->>'waitMs' IS NOT NULL THEN
    INSERT INTO steadyhand.queue (run, database, place, deadline)
    SELECT e.run, asked->>'database', e.seq, now() + (asked->>'waitMs')::float8 * interval '1 millisecond'
    FROM steadyhand.events e WHERE e.run = asked->>'run' AND e.kind = 'run.requested';
  END IF;
  RETURN made;
END $$;

GRANT SELECT ON steadyhand.line_rows TO steadyhand_application;
