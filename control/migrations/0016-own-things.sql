-- A freeze protects what is in use: a step that touches only what its own run has made passes it, so nothing is left standing and
-- paid for until the freeze is over. The plan says which steps those are.
CREATE FUNCTION steadyhand.on_own_things(run text, step text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM steadyhand.runs r JOIN steadyhand.documents d ON d.digest = r.plan,
      jsonb_array_elements(d.body::jsonb -> 'steps') line
    WHERE r.run = on_own_things.run AND line ->> 'id' = on_own_things.step AND line ->> 'onOwnThings' = 'true')
$$;

-- As in 0013, but for those steps.
CREATE OR REPLACE FUNCTION steadyhand.intend_attempt(key text, number integer, run text, database text, before json, event text)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.attempts := steadyhand.lock_attempt(key, number);
  held integer := steadyhand.share_leases(database, run);
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
    -- The plan is read only when a freeze holds.
    IF stops IS NOT NULL AND NOT steadyhand.on_own_things(known.run, known.step) THEN
      PERFORM steadyhand.refuse('frozen', stops->>'text', json_build_object('freeze', stops->>'id',
        'database', coalesce(stops->>'database', database), 'person', stops->>'person', 'until', stops->>'until'));
    END IF;
  END IF;
  UPDATE steadyhand.attempts a SET before = coalesce(known.before, intend_attempt.before), intended_by = intend_attempt.number,
    intended_at = coalesce(known.intended_at, clock_timestamp()), epoch = held
  WHERE a.key = intend_attempt.key;
  PERFORM steadyhand.append_event(run, 'attempt.intended', event);
  RETURN coalesce(known.before, before);
END $$;
