-- The one stream of events: the audit. Rows are chained by hash and never change.

-- Everything the application may do is granted to this group; a migration's caller adds the login role to it.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'steadyhand_application') THEN
    CREATE ROLE steadyhand_application NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another database's migration on this server was faster
END $$;

GRANT USAGE ON SCHEMA steadyhand TO steadyhand_application;
GRANT SELECT ON steadyhand.migrations TO steadyhand_application;

-- ISO 8601 in UTC with milliseconds, as JavaScript writes it.
CREATE FUNCTION steadyhand.iso(moment timestamptz) RETURNS text LANGUAGE sql STABLE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- Ends the transaction with one of the codes of domain/failure.ts: the driver's side makes a Failure of it.
CREATE FUNCTION steadyhand.refuse(code text, message text, facts json DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'SH000', MESSAGE = message, HINT = code, DETAIL = facts::text;
END $$;

CREATE TABLE steadyhand.events (
  seq bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  run text CHECK (run <> '' AND run !~ '\n'),
  kind text NOT NULL CHECK (kind ~ '^[a-z-]+\.[a-z-]+$'),
  -- Canonical JSON (RFC 8785) of { actor, data }. Text, since jsonb would rewrite numbers and drop duplicate keys.
  text text NOT NULL CHECK (text !~ '\n' AND text::json IS NOT NULL),
  previous text NOT NULL UNIQUE,
  hash text NOT NULL
);
CREATE INDEX events_of_run ON steadyhand.events (run, seq);

-- What the hash of an event covers, a line each: previous hash, seq, time, run, kind, text. control/verify.ts says the same.
CREATE FUNCTION steadyhand.event_hash(previous text, seq bigint, moment timestamptz, run text, kind text, text text) RETURNS text
LANGUAGE sql STABLE RETURN encode(sha256(convert_to(
  concat_ws(E'\n', previous, seq::text, to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), coalesce(run, ''), kind, text),
  'UTF8')), 'hex');

-- Every insert, whoever does it, gets its place in the chain here. One writer at a time until its transaction ends, so the order
-- of seq is the order of commits and there are no gaps. A transaction therefore appends its events last.
CREATE FUNCTION steadyhand.chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last record;
BEGIN
  PERFORM pg_advisory_xact_lock(1937006945, 1);
  SELECT e.seq, e.hash INTO last FROM steadyhand.events e ORDER BY e.seq DESC LIMIT 1;
  NEW.seq := coalesce(last.seq, 0) + 1;
  NEW.at := clock_timestamp();
  NEW.previous := coalesce(last.hash, repeat('0', 64));
  NEW.hash := steadyhand.event_hash(NEW.previous, NEW.seq, NEW.at, NEW.run, NEW.kind, NEW.text);
  RETURN NEW;
END $$;

CREATE FUNCTION steadyhand.refuse_change_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only: % is refused', lower(TG_OP) USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER chain BEFORE INSERT ON steadyhand.events FOR EACH ROW EXECUTE FUNCTION steadyhand.chain_event();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON steadyhand.events
  FOR EACH STATEMENT EXECUTE FUNCTION steadyhand.refuse_change_of_events();
-- ALWAYS: a plain trigger is passed over with session_replication_role = replica.
ALTER TABLE steadyhand.events ENABLE ALWAYS TRIGGER chain;
ALTER TABLE steadyhand.events ENABLE ALWAYS TRIGGER append_only;

CREATE FUNCTION steadyhand.append_event(run text, kind text, text text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  place bigint;
BEGIN
  INSERT INTO steadyhand.events AS e (run, kind, text) VALUES (append_event.run, append_event.kind, append_event.text)
  RETURNING e.seq INTO place;
  RETURN place;
END $$;

-- seq, time and hashes are not the application's to choose.
GRANT SELECT, INSERT (run, kind, text) ON steadyhand.events TO steadyhand_application;
