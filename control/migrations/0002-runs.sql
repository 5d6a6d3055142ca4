-- What was asked for, and what became of it.

CREATE TABLE steadyhand.requests (
  id text PRIMARY KEY,
  run text NOT NULL UNIQUE,
  requester text NOT NULL,
  idempotency_key text NOT NULL,
  body_digest text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  UNIQUE (requester, idempotency_key)
);
CREATE INDEX requests_unstarted ON steadyhand.requests (requested_at) WHERE started_at IS NULL;

CREATE TABLE steadyhand.runs (
  run text PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  request text NOT NULL REFERENCES steadyhand.requests,
  runbook text NOT NULL,
  version integer NOT NULL,
  database text NOT NULL,
  risk text NOT NULL,
  input json NOT NULL,
  requester text NOT NULL,
  channel text NOT NULL,
  ticket text,
  state text NOT NULL DEFAULT 'requested',
  outcome text,
  because text,
  left_behind json NOT NULL DEFAULT '[]',
  plan text,
  failure json,
  requested_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  CHECK ((state = 'closed') = (outcome IS NOT NULL))
);
CREATE INDEX runs_of_database ON steadyhand.runs (database, id);
CREATE INDEX runs_open ON steadyhand.runs (id) WHERE state <> 'closed';

CREATE TABLE steadyhand.steps (
  run text NOT NULL REFERENCES steadyhand.runs,
  id text NOT NULL,
  position integer NOT NULL,
  kind text NOT NULL,
  title text NOT NULL,
  state text NOT NULL,
  generation integer NOT NULL DEFAULT 1,
  attempt integer NOT NULL DEFAULT 0,
  started_at timestamptz,
  finished_at timestamptz,
  progress json,
  because text,
  failure json,
  -- state/generation/attempt of the newest event: the same change twice makes one event.
  recorded text,
  PRIMARY KEY (run, id)
);

CREATE TABLE steadyhand.evidence (
  run text NOT NULL REFERENCES steadyhand.runs,
  name text NOT NULL,
  value json NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, name)
);

CREATE VIEW steadyhand.request_rows AS
SELECT q.id, q.run, r.runbook, r.database, r.input, r.requester, r.channel, r.ticket, steadyhand.iso(q.started_at) AS "startedAt"
FROM steadyhand.requests q JOIN steadyhand.runs r ON r.request = q.id;

CREATE VIEW steadyhand.run_rows AS
SELECT run, runbook, database, state, outcome, because, left_behind AS "left", requester, risk, ticket, input,
  steadyhand.iso(requested_at) AS "requestedAt", steadyhand.iso(closed_at) AS "closedAt", plan, failure
FROM steadyhand.runs;

-- The first request of (requester, key), whoever asks first; the loser of a race waits for the winner and gets its row.
CREATE FUNCTION steadyhand.create_request(asked json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.requests;
  result json;
BEGIN
  INSERT INTO steadyhand.requests (id, run, requester, idempotency_key, body_digest)
  VALUES (asked->>'id', asked->>'run', asked->>'requester', asked->>'idempotencyKey', asked->>'bodyDigest')
  ON CONFLICT (requester, idempotency_key) DO NOTHING;
  IF NOT FOUND THEN
    SELECT * INTO known FROM steadyhand.requests q
    WHERE q.requester = asked->>'requester' AND q.idempotency_key = asked->>'idempotencyKey';
    IF known.body_digest <> asked->>'bodyDigest' THEN
      PERFORM steadyhand.refuse('idempotency-key-reused',
        format('the key was used on %s for the run %s, with another request', steadyhand.iso(known.requested_at), known.run),
        json_build_object('run', known.run));
    END IF;
    SELECT to_json(r) INTO result FROM steadyhand.request_rows r WHERE r.id = known.id;
    RETURN json_build_object('created', false, 'request', result);
  END IF;
  INSERT INTO steadyhand.runs (run, id, request, runbook, version, database, risk, input, requester, channel, ticket)
  VALUES (asked->>'run', asked->>'ulid', asked->>'id', asked->>'runbook', (asked->>'version')::integer, asked->>'database', asked->>'risk',
    asked->'input', asked->>'requester', asked->>'channel', asked->>'ticket');
  SELECT to_json(r) INTO result FROM steadyhand.request_rows r WHERE r.id = asked->>'id';
  PERFORM steadyhand.append_event(asked->>'run', 'run.requested', event);
  RETURN json_build_object('created', true, 'request', result);
END $$;

-- The run's row, locked until the transaction ends.
CREATE FUNCTION steadyhand.lock_run(run text) RETURNS steadyhand.runs LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.runs;
BEGIN
  SELECT * INTO known FROM steadyhand.runs r WHERE r.run = lock_run.run FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM steadyhand.refuse('not-found', format('there is no run %s in the control database', run), json_build_object('run', run));
  END IF;
  RETURN known;
END $$;

CREATE FUNCTION steadyhand.plan_run(run text, digest text, steps json, event text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.runs := steadyhand.lock_run(run);
  last integer;
BEGIN
  IF known.state = 'closed' OR known.plan IS NOT DISTINCT FROM digest THEN
    RETURN;
  END IF;
  UPDATE steadyhand.runs r SET plan = digest WHERE r.run = plan_run.run;
  SELECT coalesce(max(s.position), 0) INTO last FROM steadyhand.steps s WHERE s.run = plan_run.run;
  -- A step that has begun keeps its row; one that hasn't is as the new plan says. Positions are those of the first plan.
  INSERT INTO steadyhand.steps AS s (run, id, position, kind, title, state, because)
  SELECT plan_run.run, one->>'id', last + place, one->>'kind', one->>'title',
    CASE WHEN (one->>'applies')::boolean THEN 'pending' ELSE 'absent' END, one->>'because'
  FROM json_array_elements(steps) WITH ORDINALITY AS list(one, place)
  ON CONFLICT ON CONSTRAINT steps_pkey DO UPDATE
    SET kind = excluded.kind, title = excluded.title, state = excluded.state, because = excluded.because
    WHERE s.state IN ('pending', 'absent');
  PERFORM steadyhand.append_event(run, 'run.planned', event);
END $$;

-- `steps`: { id, state, generation, because, failure, event } each. `failure`: null leaves it, JSON null clears it.
CREATE FUNCTION steadyhand.change_run(run text, state text, failure json, steps json, event text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.runs := steadyhand.lock_run(run);
  step json;
  seen steadyhand.steps;
  mark text;
  ended boolean;
  changed json[] := '{}';
  failed json := CASE WHEN failure::text = 'null' THEN NULL WHEN failure IS NULL THEN known.failure ELSE failure END;
  moved boolean := (state IS NOT NULL AND state <> known.state) OR failed::text IS DISTINCT FROM known.failure::text;
BEGIN
  IF known.state = 'closed' THEN
    RETURN; -- a late repeat: what the run ended with stands
  END IF;
  FOR step IN SELECT * FROM json_array_elements(steps) LOOP
    SELECT * INTO seen FROM steadyhand.steps s WHERE s.run = change_run.run AND s.id = step->>'id' FOR UPDATE;
    IF NOT FOUND THEN
      PERFORM steadyhand.refuse('internal', format('the run %s has no step %s in its plan', run, step->>'id'));
    END IF;
    mark := concat_ws('/', step->>'state', step->>'generation', seen.attempt);
    CONTINUE WHEN seen.recorded IS NOT DISTINCT FROM mark;
    ended := step->>'state' NOT IN ('pending', 'absent', 'running', 'waiting', 'undoing');
    UPDATE steadyhand.steps s SET
      state = step->>'state', generation = (step->>'generation')::integer, recorded = mark, because = step->>'because',
      failure = step->'failure',
      started_at = CASE WHEN step->>'state' NOT IN ('running', 'waiting') THEN seen.started_at
        WHEN (step->>'generation')::integer > seen.generation THEN now() ELSE coalesce(seen.started_at, now()) END,
      finished_at = CASE WHEN ended THEN now() END
    WHERE s.run = change_run.run AND s.id = seen.id;
    changed := array_append(changed, step);
  END LOOP;
  IF moved THEN
    UPDATE steadyhand.runs r SET state = coalesce(change_run.state, r.state), failure = failed WHERE r.run = change_run.run;
  END IF;
  FOREACH step IN ARRAY changed LOOP
    PERFORM steadyhand.append_event(run, 'step.' || (step->>'state'), step->>'event');
  END LOOP;
  IF moved THEN
    PERFORM steadyhand.append_event(run, 'run.state', event);
  END IF;
END $$;

CREATE FUNCTION steadyhand.record_evidence(run text, evidence json, event text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM steadyhand.lock_run(run);
  INSERT INTO steadyhand.evidence AS e (run, name, value)
  SELECT record_evidence.run, key, value FROM json_each(evidence)
  ON CONFLICT ON CONSTRAINT evidence_pkey DO UPDATE SET value = excluded.value, recorded_at = now()
    WHERE e.value::text IS DISTINCT FROM excluded.value::text;
  IF FOUND THEN
    PERFORM steadyhand.append_event(run, 'evidence.recorded', event);
  END IF;
END $$;

-- Ends the run, closes its open questions, and frees or orphans the lease it holds. The first ending stands.
-- Texts made here are canonical too: keys in order, and to_json escapes text as RFC 8785 does.
CREATE FUNCTION steadyhand.close_run(run text, ending json, actor text, event text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.runs := steadyhand.lock_run(run);
  lease_state text := CASE WHEN (ending->>'free')::boolean THEN 'free' ELSE 'orphaned' END;
  lease_kind text := CASE WHEN (ending->>'free')::boolean THEN 'lease.freed' ELSE 'lease.orphaned' END;
  question_texts text[];
  lease_texts text[];
  line text;
BEGIN
  IF known.state = 'closed' THEN
    RETURN;
  END IF;
  UPDATE steadyhand.runs r SET state = 'closed', outcome = ending->>'outcome', because = ending->>'because', closed_at = now(),
    left_behind = coalesce(ending->'left', '[]'), failure = coalesce(ending->'failure', r.failure)
  WHERE r.run = close_run.run;
  WITH closed AS (
    UPDATE steadyhand.questions q SET answer = 'closed', closed_at = now()
    WHERE q.run = close_run.run AND q.closed_at IS NULL RETURNING q.approval, q.opening
  ) SELECT array_agg(format('{"actor":%s,"data":{"answer":"closed","approval":%s,"opening":%s}}', actor, to_json(approval), opening))
    INTO question_texts FROM closed;
  WITH given AS (
    UPDATE steadyhand.leases l SET state = lease_state, since = now()
    WHERE l.holder = close_run.run AND (l.state = 'held' OR l.state = 'orphaned' AND lease_state = 'free') RETURNING l.database, l.epoch
  ) SELECT array_agg(format('{"actor":%s,"data":{"database":%s,"epoch":%s}}', actor, to_json(database), epoch))
    INTO lease_texts FROM given;
  FOREACH line IN ARRAY coalesce(question_texts, '{}') LOOP
    PERFORM steadyhand.append_event(run, 'approval.closed', line);
  END LOOP;
  FOREACH line IN ARRAY coalesce(lease_texts, '{}') LOOP
    PERFORM steadyhand.append_event(run, lease_kind, line);
  END LOOP;
  PERFORM steadyhand.append_event(run, 'run.closed', event);
END $$;

GRANT SELECT ON steadyhand.request_rows, steadyhand.run_rows TO steadyhand_application;
GRANT SELECT, INSERT, UPDATE (started_at) ON steadyhand.requests TO steadyhand_application;
GRANT SELECT, INSERT, UPDATE ON steadyhand.runs, steadyhand.steps, steadyhand.evidence TO steadyhand_application;
