-- Freeze and fence hold for every database that a run is about, not only for its own: a move changes its target as well.

CREATE INDEX events_of_leases ON steadyhand.events (run) WHERE kind = 'lease.taken';

-- The first lease that the run needs or had taken and has no more, its own database's first; null when it has them all.
CREATE FUNCTION steadyhand.lost_lease(database text, run text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('database', needed.database, 'holder', l.holder, 'state', l.state)
  FROM (SELECT lost_lease.database UNION SELECT steadyhand.leased_by(lost_lease.run)) needed (database)
  LEFT JOIN steadyhand.leases l ON l.database = needed.database
  WHERE l.holder IS DISTINCT FROM lost_lease.run OR l.state <> 'held'
  ORDER BY needed.database <> lost_lease.database, needed.database LIMIT 1
$$;

-- The epoch of the lease of `database`. Neither that nor another one that the run has taken can be taken away before the transaction
-- ends; refused when the run does not hold them all.
CREATE FUNCTION steadyhand.share_leases(database text, run text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  held integer := steadyhand.share_lease(database, run);
  other text;
BEGIN
  FOR other IN SELECT called FROM steadyhand.leased_by(run) called WHERE called <> share_leases.database ORDER BY called LOOP
    PERFORM steadyhand.share_lease(other, run);
  END LOOP;
  RETURN held;
END $$;

-- As in 0010, for the freeze of each database that the run is about.
CREATE OR REPLACE FUNCTION steadyhand.freeze_for(run text) RETURNS json LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  known steadyhand.runs;
  stops json;
BEGIN
  SELECT * INTO known FROM steadyhand.runs r WHERE r.run = freeze_for.run;
  IF known.state IN ('closed', 'rolling-back') OR known.break_glass IS NOT NULL THEN
    RETURN NULL;
  END IF;
  SELECT to_json(f) INTO stops FROM steadyhand.freeze_rows f
  WHERE f.holds AND (f.database IS NULL OR f.database = known.database OR f.database = ANY (known.others)
    OR f.database IN (SELECT steadyhand.leased_by(known.run)))
  ORDER BY f.until DESC NULLS FIRST, f.since LIMIT 1;
  IF stops IS NULL OR steadyhand.past_no_return(run) THEN
    RETURN NULL;
  END IF;
  RETURN stops;
END $$;

-- As in 0010, with every lease of the run.
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
    IF stops IS NOT NULL THEN
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

-- As in 0004: going forward needs every lease of the run.
CREATE OR REPLACE FUNCTION steadyhand.decide_no_return(key text, attempt json, side text, facts json, event text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  fence steadyhand.attempts := steadyhand.lock_attempt(attempt->>'attemptKey', (attempt->>'number')::integer);
  stands text;
BEGIN
  SELECT n.side INTO stands FROM steadyhand.no_return n WHERE n.key = decide_no_return.key;
  IF FOUND THEN
    RETURN stands;
  END IF;
  IF side = 'forward' THEN
    PERFORM steadyhand.share_leases(attempt->>'database', attempt->>'run');
  END IF;
  INSERT INTO steadyhand.no_return (key, run, side, facts, attempt_key, attempt)
  VALUES (decide_no_return.key, attempt->>'run', decide_no_return.side, decide_no_return.facts, fence.key, fence.number)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT n.side INTO stands FROM steadyhand.no_return n WHERE n.key = decide_no_return.key;
    RETURN stands;
  END IF;
  PERFORM steadyhand.append_event(attempt->>'run', 'no-return.decided', event);
  RETURN side;
END $$;
