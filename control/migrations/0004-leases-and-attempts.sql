-- Who may change a database, and what was about to be done there.

CREATE TABLE steadyhand.leases (
  database text PRIMARY KEY,
  holder text NOT NULL,
  epoch integer NOT NULL,
  state text NOT NULL CHECK (state IN ('held', 'free', 'orphaned')),
  since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX leases_of_holder ON steadyhand.leases (holder);

CREATE TABLE steadyhand.attempts (
  key text PRIMARY KEY,
  run text NOT NULL,
  step text NOT NULL,
  generation integer NOT NULL,
  undo boolean NOT NULL,
  number integer NOT NULL,
  claimed_at timestamptz NOT NULL DEFAULT now(),
  before json,
  intended_at timestamptz,
  -- The newest attempt that intended, and the epoch of the lease that it held.
  intended_by integer,
  epoch integer,
  outcome text,
  settled_at timestamptz
);
CREATE INDEX attempts_of_run ON steadyhand.attempts (run, intended_at);

CREATE TABLE steadyhand.no_return (
  key text PRIMARY KEY,
  run text NOT NULL,
  side text NOT NULL CHECK (side IN ('forward', 'back')),
  facts json NOT NULL,
  attempt_key text NOT NULL,
  attempt integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE VIEW steadyhand.lease_rows AS
SELECT database, holder, epoch, state, steadyhand.iso(since) AS since FROM steadyhand.leases;

CREATE VIEW steadyhand.intent_rows AS
SELECT key, run, step, coalesce(before, '{}') AS before, steadyhand.iso(coalesce(intended_at, settled_at)) AS "at", outcome, undo,
  coalesce(intended_at, settled_at) AS moment
FROM steadyhand.attempts WHERE intended_at IS NOT NULL OR outcome IS NOT NULL;

-- What a run leaves behind if it ends now: its intents, made or open, whose undo has no outcome. Nothing after a success: then
-- what it made is what was wanted.
CREATE FUNCTION steadyhand.left_behind(run text) RETURNS SETOF steadyhand.intent_rows LANGUAGE sql STABLE AS $$
  SELECT i.* FROM steadyhand.intent_rows i
  WHERE i.run = left_behind.run AND NOT i.undo
    AND NOT EXISTS (SELECT FROM steadyhand.attempts u WHERE u.key = i.key || '/undo' AND u.outcome IS NOT NULL)
    AND NOT EXISTS (SELECT FROM steadyhand.runs r WHERE r.run = left_behind.run AND r.outcome = 'succeeded')
  ORDER BY i.moment, i.key
$$;

-- Compare-and-set on (holder, epoch, state) as the caller saw them; epoch 0 stands for "nobody ever took it". False when somebody
-- was faster, or when the closed holder has written an intent since. `freed` is the event for a holder that is passed over.
CREATE FUNCTION steadyhand.take_lease(database text, run text, seen json, freed text, taken text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.leases;
BEGIN
  IF (seen->>'epoch')::integer = 0 THEN
    INSERT INTO steadyhand.leases (database, holder, epoch, state) VALUES (take_lease.database, take_lease.run, 1, 'held')
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
  ELSE
    SELECT * INTO known FROM steadyhand.leases l WHERE l.database = take_lease.database FOR UPDATE;
    IF known.holder <> seen->>'holder' OR known.epoch <> (seen->>'epoch')::integer OR known.state <> seen->>'state' THEN
      RETURN false;
    END IF;
    -- The row lock keeps `intend` out from here on, so this look can't be overtaken.
    IF known.state <> 'free' AND known.holder <> run AND EXISTS (SELECT FROM steadyhand.left_behind(known.holder)) THEN
      RETURN false;
    END IF;
    UPDATE steadyhand.leases l SET holder = take_lease.run, state = 'held', since = now(),
      epoch = CASE WHEN known.state = 'orphaned' THEN l.epoch ELSE l.epoch + 1 END
    WHERE l.database = take_lease.database;
  END IF;
  IF freed IS NOT NULL THEN
    PERFORM steadyhand.append_event(known.holder, 'lease.freed', freed);
  END IF;
  PERFORM steadyhand.append_event(run, 'lease.taken', taken);
  RETURN true;
END $$;

-- From what the caller saw to `free` (released by a person) or `orphaned`; false when it changed meanwhile.
CREATE FUNCTION steadyhand.settle_lease(database text, seen json, state text, kind text, event text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE steadyhand.leases l SET state = settle_lease.state, since = now()
  WHERE l.database = settle_lease.database AND l.holder = seen->>'holder' AND l.epoch = (seen->>'epoch')::integer
    AND l.state = seen->>'state';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM steadyhand.append_event(seen->>'holder', kind, event);
  RETURN true;
END $$;

-- The attempt's row, locked, when `number` is the newest; refused otherwise.
CREATE FUNCTION steadyhand.lock_attempt(key text, number integer) RETURNS steadyhand.attempts LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.attempts;
BEGIN
  SELECT * INTO known FROM steadyhand.attempts a WHERE a.key = lock_attempt.key FOR UPDATE;
  IF known.number IS DISTINCT FROM lock_attempt.number THEN
    PERFORM steadyhand.refuse('superseded', format('attempt %s of %s has given way to attempt %s', number, key, known.number),
      json_build_object('key', key, 'number', number, 'newest', known.number));
  END IF;
  RETURN known;
END $$;

-- The epoch of the lease, which nobody can take away before the transaction ends; refused when the run doesn't hold it.
CREATE FUNCTION steadyhand.share_lease(database text, run text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.leases;
BEGIN
  SELECT * INTO known FROM steadyhand.leases l WHERE l.database = share_lease.database FOR SHARE;
  IF known.holder IS DISTINCT FROM run OR known.state <> 'held' THEN
    PERFORM steadyhand.refuse('lease-lost', format('%s does not hold the lease of %s: it is %s', run, database,
      CASE WHEN known.holder IS NULL THEN 'taken by nobody' ELSE known.state || ', last taken by ' || known.holder END),
      json_build_object('database', database, 'holder', known.holder, 'state', known.state));
  END IF;
  RETURN known.epoch;
END $$;

CREATE FUNCTION steadyhand.claim_attempt(key text, run text, step text, generation integer, undo boolean) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  mine steadyhand.attempts;
  intended json;
BEGIN
  INSERT INTO steadyhand.attempts AS a (key, run, step, generation, undo, number)
  VALUES (claim_attempt.key, claim_attempt.run, claim_attempt.step, claim_attempt.generation, claim_attempt.undo, 1)
  ON CONFLICT ON CONSTRAINT attempts_pkey DO UPDATE SET number = a.number + 1, claimed_at = now()
  RETURNING * INTO mine;
  intended := mine.before;
  IF undo THEN
    SELECT a.before INTO intended FROM steadyhand.attempts a WHERE a.key = regexp_replace(claim_attempt.key, '/undo$', '');
  END IF;
  UPDATE steadyhand.steps s SET
    state = CASE WHEN claim_attempt.undo THEN 'undoing' ELSE 'running' END, attempt = mine.number,
    generation = claim_attempt.generation, finished_at = NULL, failure = NULL,
    started_at = CASE WHEN s.generation < claim_attempt.generation THEN now() ELSE coalesce(s.started_at, now()) END
  WHERE s.run = claim_attempt.run AND s.id = claim_attempt.step
    AND NOT EXISTS (SELECT FROM steadyhand.runs r WHERE r.run = s.run AND r.state = 'closed');
  RETURN json_build_object('number', mine.number, 'intended', intended);
END $$;

CREATE FUNCTION steadyhand.intend_attempt(key text, number integer, run text, database text, before json, event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.attempts := steadyhand.lock_attempt(key, number);
  held integer := steadyhand.share_lease(database, run);
BEGIN
  IF known.intended_by IS NOT DISTINCT FROM number THEN
    RETURN known.before; -- the answer was lost, the row is there
  END IF;
  UPDATE steadyhand.attempts a SET before = coalesce(known.before, intend_attempt.before), intended_by = intend_attempt.number,
    intended_at = coalesce(known.intended_at, clock_timestamp()), epoch = held
  WHERE a.key = intend_attempt.key;
  PERFORM steadyhand.append_event(run, 'attempt.intended', event);
  RETURN coalesce(known.before, before);
END $$;

-- An older attempt's outcome is taken when there is none yet: its effect is real. It never replaces a newer one's.
CREATE FUNCTION steadyhand.settle_attempt(key text, number integer, run text, outcome text, event text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE steadyhand.attempts a SET outcome = settle_attempt.outcome, settled_at = clock_timestamp()
  WHERE a.key = settle_attempt.key AND a.outcome IS DISTINCT FROM settle_attempt.outcome
    AND (a.outcome IS NULL OR a.number = settle_attempt.number);
  IF FOUND THEN
    PERFORM steadyhand.append_event(run, 'attempt.settled', event);
  ELSIF NOT EXISTS (SELECT FROM steadyhand.attempts a WHERE a.key = settle_attempt.key) THEN
    PERFORM steadyhand.refuse('internal', format('%s was never claimed, so it has no outcome', key));
  END IF;
END $$;

-- What stands first, stands. Going forward needs the lease; going back never does.
CREATE FUNCTION steadyhand.decide_no_return(key text, attempt json, side text, facts json, event text) RETURNS text
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
    PERFORM steadyhand.share_lease(attempt->>'database', attempt->>'run');
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

GRANT SELECT ON steadyhand.lease_rows, steadyhand.intent_rows TO steadyhand_application;
GRANT SELECT, INSERT, UPDATE ON steadyhand.leases, steadyhand.attempts TO steadyhand_application;
GRANT SELECT, INSERT ON steadyhand.no_return TO steadyhand_application;
