-- What a step proved under a key stands: the activity may be delivered again, and then measures something else (a switch that is
-- over took no pause). Only "start again", with the next key, proves anew. The older function stays for workers of before.

ALTER TABLE steadyhand.evidence ADD COLUMN of_key text;

CREATE FUNCTION steadyhand.record_evidence(run text, of_key text, evidence json, event text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM steadyhand.lock_run(run);
  INSERT INTO steadyhand.evidence AS e (run, name, value, of_key)
  SELECT record_evidence.run, key, value, record_evidence.of_key FROM json_each(evidence)
  ON CONFLICT ON CONSTRAINT evidence_pkey DO UPDATE SET value = excluded.value, of_key = excluded.of_key, recorded_at = now()
    WHERE e.of_key IS DISTINCT FROM excluded.of_key;
  IF FOUND THEN
    PERFORM steadyhand.append_event(run, 'evidence.recorded', event);
  END IF;
END $$;
