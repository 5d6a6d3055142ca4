-- The ledger of proofs: each is a restore that was made and looked at. Rows are only ever added.

CREATE TABLE steadyhand.proofs (
  id text COLLATE "C" PRIMARY KEY,
  -- Of the attempt that proved it: delivered twice it is one proof.
  key text NOT NULL UNIQUE,
  run text NOT NULL REFERENCES steadyhand.runs (run),
  database text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  verified text NOT NULL CHECK (verified IN ('none', 'available', 'restored-and-queried')),
  -- What was restored, and when that was made.
  backup text NOT NULL,
  backup_at timestamptz,
  -- The moment that was asked for, and the newest one that is there.
  target timestamptz,
  recovered_to timestamptz,
  seconds_available float8,
  seconds_hydrated float8,
  -- The tiers that were looked at, and the versions that took part.
  checks json NOT NULL,
  versions json NOT NULL
);
CREATE INDEX proofs_of_database ON steadyhand.proofs (database, id);

CREATE FUNCTION steadyhand.refuse_change_of_proofs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'proofs are only ever added: % is refused', lower(TG_OP) USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON steadyhand.proofs
  FOR EACH STATEMENT EXECUTE FUNCTION steadyhand.refuse_change_of_proofs();
ALTER TABLE steadyhand.proofs ENABLE ALWAYS TRIGGER append_only;

-- To the microsecond: a recovery point is compared with rows.
CREATE FUNCTION steadyhand.iso_exact(moment timestamptz) RETURNS text LANGUAGE sql STABLE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

CREATE VIEW steadyhand.proof_rows AS
SELECT id, run, database, steadyhand.iso(at) AS at, verified, backup, steadyhand.iso(backup_at) AS "backupAt",
  steadyhand.iso_exact(target) AS target, steadyhand.iso_exact(recovered_to) AS "recoveredTo",
  seconds_available AS "secondsAvailable", seconds_hydrated AS "secondsHydrated", checks, versions
FROM steadyhand.proofs;

CREATE FUNCTION steadyhand.record_proof(made json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  result json;
BEGIN
  INSERT INTO steadyhand.proofs (id, key, run, database, verified, backup, backup_at, target, recovered_to, seconds_available,
    seconds_hydrated, checks, versions)
  VALUES (made->>'id', made->>'key', made->>'run', made->>'database', made->>'verified', made->>'backup', (made->>'backupAt')::timestamptz,
    (made->>'target')::timestamptz, (made->>'recoveredTo')::timestamptz, (made->>'secondsAvailable')::float8,
    (made->>'secondsHydrated')::float8, made->'checks', made->'versions')
  ON CONFLICT (key) DO NOTHING;
  IF FOUND THEN
    PERFORM steadyhand.append_event(made->>'run', 'proof.recorded', event);
  END IF;
  SELECT to_json(v) INTO result FROM steadyhand.proof_rows v JOIN steadyhand.proofs p USING (id) WHERE p.key = made->>'key';
  RETURN result;
END $$;

GRANT SELECT, INSERT ON steadyhand.proofs TO steadyhand_application;
GRANT SELECT ON steadyhand.proof_rows TO steadyhand_application;
