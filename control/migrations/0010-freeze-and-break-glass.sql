-- A freeze stops every change of a database, or of all; who breaks the glass passes it.

-- Who passed freeze and quorum, and who has looked at it afterwards: { person, reason, at } each. Written once.
ALTER TABLE steadyhand.runs ADD COLUMN break_glass json, ADD COLUMN review json;

CREATE TABLE steadyhand.freezes (
  id text COLLATE "C" PRIMARY KEY,
  -- null: every database
  database text,
  reason text NOT NULL,
  person text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  until timestamptz,
  lifted_at timestamptz,
  lifted_by text,
  lifted_because text
);

-- `text` is what people are told wherever a freeze stops something.
CREATE VIEW steadyhand.freeze_rows AS
SELECT id, database, reason, person, steadyhand.iso(since) AS since, steadyhand.iso(until) AS until,
  steadyhand.iso(lifted_at) AS "liftedAt", lifted_by AS "liftedBy", lifted_because AS "liftedBecause",
  lifted_at IS NULL AND (until IS NULL OR until > clock_timestamp()) AS holds,
  format('%s is frozen by %s since %s, %s: %s', coalesce(database, 'every database'), person,
    to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
    coalesce(to_char(until AT TIME ZONE 'UTC', '"until "YYYY-MM-DD"T"HH24:MI"Z"'), 'until somebody lifts it'), reason) AS text
FROM steadyhand.freezes;

-- The freeze of the database that lasts longest; null when none holds.
CREATE FUNCTION steadyhand.freeze_of(called text) RETURNS json LANGUAGE sql VOLATILE AS $$
  SELECT to_json(f) FROM steadyhand.freeze_rows f WHERE f.holds AND (f.database IS NULL OR f.database = called)
  ORDER BY f.until DESC NULLS FIRST, f.since LIMIT 1
$$;

-- Whether the step without return is behind the run. Not every one has a row in no_return: the plan names the step.
CREATE FUNCTION steadyhand.past_no_return(run text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM steadyhand.no_return n WHERE n.run = past_no_return.run AND n.side = 'forward')
    OR EXISTS (SELECT FROM steadyhand.runs r JOIN steadyhand.documents d ON d.digest = r.plan,
        jsonb_array_elements(d.body::jsonb -> 'steps') line, steadyhand.steps s
      WHERE r.run = past_no_return.run AND line ->> 'pointOfNoReturn' = 'true'
        AND s.run = r.run AND s.id = line ->> 'id' AND s.state = 'done')
$$;

-- The freeze that stops this run. None stops one that is past its point of no return, goes back, is over, or broke the glass.
CREATE FUNCTION steadyhand.freeze_for(run text) RETURNS json LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  known steadyhand.runs;
  stops json;
BEGIN
  SELECT * INTO known FROM steadyhand.runs r WHERE r.run = freeze_for.run;
  IF known.state IN ('closed', 'rolling-back') OR known.break_glass IS NOT NULL THEN
    RETURN NULL;
  END IF;
  stops := steadyhand.freeze_of(known.database);
  IF stops IS NULL OR steadyhand.past_no_return(run) THEN
    RETURN NULL;
  END IF;
  RETURN stops;
END $$;

CREATE FUNCTION steadyhand.freeze_on(made json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  result json;
BEGIN
  -- The lock of the record, taken early: nobody says the same twice at once.
  PERFORM pg_advisory_xact_lock(1937006945, 1);
  SELECT to_json(f) INTO result FROM steadyhand.freeze_rows f
  WHERE f.holds AND f.person = made->>'person' AND f.reason = made->>'reason'
    AND f.database IS NOT DISTINCT FROM (made->>'database') AND f.until IS NOT DISTINCT FROM (made->>'until');
  IF result IS NOT NULL THEN
    RETURN result;
  END IF;
  INSERT INTO steadyhand.freezes (id, database, reason, person, until)
  VALUES (made->>'id', made->>'database', made->>'reason', made->>'person', (made->>'until')::timestamptz);
  PERFORM steadyhand.append_event(NULL, 'freeze.on', event);
  SELECT to_json(f) INTO result FROM steadyhand.freeze_rows f WHERE f.id = made->>'id';
  RETURN result;
END $$;

CREATE FUNCTION steadyhand.freeze_off(called text, person text, because text, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  result json;
BEGIN
  UPDATE steadyhand.freezes f SET lifted_at = now(), lifted_by = freeze_off.person, lifted_because = freeze_off.because
  WHERE f.id = called AND f.lifted_at IS NULL AND (f.until IS NULL OR f.until > clock_timestamp());
  IF FOUND THEN
    PERFORM steadyhand.append_event(NULL, 'freeze.off', event);
  END IF;
  SELECT to_json(f) INTO result FROM steadyhand.freeze_rows f WHERE f.id = called;
  RETURN result;
END $$;

-- As in 0004, and no step begins to change anything while it is frozen: after `freeze.on` the record has no first intent of one.
CREATE OR REPLACE FUNCTION steadyhand.intend_attempt(key text, number integer, run text, database text, before json, event text)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.attempts := steadyhand.lock_attempt(key, number);
  held integer := steadyhand.share_lease(database, run);
  stops json;
BEGIN
  IF known.intended_by IS NOT DISTINCT FROM number THEN
    RETURN known.before; -- the answer was lost, the row is there
  END IF;
  IF known.intended_at IS NULL AND NOT known.undo
    AND EXISTS (SELECT FROM steadyhand.steps s WHERE s.run = known.run AND s.id = known.step AND s.kind = 'change') THEN
    -- The lock of the record: a freeze that is being written down is waited for.
    PERFORM pg_advisory_xact_lock(1937006945, 1);
    stops := steadyhand.freeze_for(run);
    IF stops IS NOT NULL THEN
      PERFORM steadyhand.refuse('frozen', stops->>'text', json_build_object('freeze', stops->>'id', 'database', database,
        'person', stops->>'person', 'until', stops->>'until'));
    END IF;
  END IF;
  UPDATE steadyhand.attempts a SET before = coalesce(known.before, intend_attempt.before), intended_by = intend_attempt.number,
    intended_at = coalesce(known.intended_at, clock_timestamp()), epoch = held
  WHERE a.key = intend_attempt.key;
  PERFORM steadyhand.append_event(run, 'attempt.intended', event);
  RETURN coalesce(known.before, before);
END $$;

GRANT SELECT ON steadyhand.freeze_rows TO steadyhand_application;
GRANT SELECT, INSERT, UPDATE (lifted_at, lifted_by, lifted_because) ON steadyhand.freezes TO steadyhand_application;

CREATE OR REPLACE VIEW steadyhand.run_rows AS
SELECT run, runbook, database, state, outcome, because, left_behind AS "left", requester, risk, ticket, input,
  steadyhand.iso(requested_at) AS "requestedAt", steadyhand.iso(closed_at) AS "closedAt", plan, failure,
  break_glass AS "breakGlass", review
FROM steadyhand.runs;

-- `queue_request`, and for one that breaks the glass the mark and its event, in the same transaction.
CREATE FUNCTION steadyhand.request_run(asked json, event text, glass text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  made json := steadyhand.queue_request(asked, event);
BEGIN
  IF (made->>'created')::boolean AND glass IS NOT NULL THEN
    UPDATE steadyhand.runs r
    SET break_glass = json_build_object('person', asked->>'requester', 'reason', asked->>'breakGlass', 'at', steadyhand.iso(now()))
    WHERE r.run = asked->>'run';
    PERFORM steadyhand.append_event(asked->>'run', 'break-glass.used', glass);
  END IF;
  RETURN made;
END $$;

-- Of a run that is under way. Who must agree from now on stands in its open approval, too. The first word stands.
CREATE FUNCTION steadyhand.break_glass(run text, person text, reason text, quorum json, event text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.runs := steadyhand.lock_run(run);
BEGIN
  IF known.state = 'closed' THEN
    PERFORM steadyhand.refuse('conflict', format('the run %s is closed (%s)', run, known.outcome), json_build_object('run', run));
  ELSIF known.break_glass IS NOT NULL THEN
    RETURN;
  END IF;
  UPDATE steadyhand.runs r SET break_glass = json_build_object('person', person, 'reason', reason, 'at', steadyhand.iso(now()))
  WHERE r.run = break_glass.run;
  UPDATE steadyhand.questions q SET quorum = break_glass.quorum, chain = '[]'
  WHERE q.run = break_glass.run AND q.kind = 'approval' AND q.closed_at IS NULL;
  PERFORM steadyhand.append_event(run, 'break-glass.used', event);
END $$;

CREATE FUNCTION steadyhand.review_run(run text, person text, reason text, event text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.runs := steadyhand.lock_run(run);
BEGIN
  IF known.break_glass IS NULL THEN
    PERFORM steadyhand.refuse('conflict', format('the run %s broke no glass: there is nothing to review', run), json_build_object('run', run));
  ELSIF known.state <> 'closed' THEN
    PERFORM steadyhand.refuse('conflict', format('the run %s is still open: it is reviewed when it is closed', run), json_build_object('run', run));
  ELSIF known.review IS NOT NULL THEN
    PERFORM steadyhand.refuse('conflict', format('the run %s was reviewed by %s on %s', run, known.review->>'person', known.review->>'at'),
      json_build_object('run', run));
  END IF;
  UPDATE steadyhand.runs r SET review = json_build_object('person', person, 'reason', reason, 'at', steadyhand.iso(now()))
  WHERE r.run = review_run.run;
  PERFORM steadyhand.append_event(run, 'break-glass.reviewed', event);
END $$;
