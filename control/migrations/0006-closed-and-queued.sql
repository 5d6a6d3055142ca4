-- In a run that is over nothing goes on: what was under way when it closed is `stopped`.

-- The steps of a run that closes. Their events come before the run's own end; texts are canonical, as in close_run.
CREATE FUNCTION steadyhand.stop_steps(run text, actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  step steadyhand.steps;
BEGIN
  FOR step IN
    UPDATE steadyhand.steps s SET state = 'stopped', recorded = concat_ws('/', 'stopped', s.generation, s.attempt),
      finished_at = now(), progress = NULL
    WHERE s.run = stop_steps.run AND s.state IN ('running', 'waiting', 'undoing') RETURNING s.*
  LOOP
    PERFORM steadyhand.append_event(run, 'step.stopped', format(
      '{"actor":%s,"data":{"because":null,"by":null,"failure":null,"generation":%s,"state":"stopped","step":%s}}',
      actor, step.generation, to_json(step.id)));
  END LOOP;
END $$;

-- As in 0002, and the steps that are under way are stopped.
CREATE OR REPLACE FUNCTION steadyhand.close_run(run text, ending json, actor text, event text) RETURNS void LANGUAGE plpgsql AS $$
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
  PERFORM steadyhand.stop_steps(run, actor);
  FOREACH line IN ARRAY coalesce(lease_texts, '{}') LOOP
    PERFORM steadyhand.append_event(run, lease_kind, line);
  END LOOP;
  PERFORM steadyhand.append_event(run, 'run.closed', event);
END $$;

-- Runs that closed before this.
UPDATE steadyhand.steps s SET state = 'stopped', progress = NULL, finished_at = r.closed_at
FROM steadyhand.runs r WHERE r.run = s.run AND r.state = 'closed' AND s.state IN ('running', 'waiting', 'undoing');
