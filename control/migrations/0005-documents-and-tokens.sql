-- Plans, facts and findings under their digest; and who is behind a bearer token.

CREATE TABLE steadyhand.documents (
  digest text PRIMARY KEY,
  kind text NOT NULL,
  -- Canonical JSON, as text.
  body text NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE steadyhand.tokens (
  id text PRIMARY KEY,
  person text NOT NULL,
  note text,
  -- SHA-256 of the whole token, in hex. The token itself is nowhere.
  hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz
);

CREATE VIEW steadyhand.token_rows AS
SELECT id, person, note, steadyhand.iso(created_at) AS "createdAt", steadyhand.iso(expires_at) AS "expiresAt",
  steadyhand.iso(revoked_at) AS "revokedAt"
FROM steadyhand.tokens;

CREATE FUNCTION steadyhand.create_token(made json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  result json;
BEGIN
  INSERT INTO steadyhand.tokens (id, person, note, hash, expires_at)
  VALUES (made->>'id', made->>'person', made->>'note', made->>'hash', now() + (made->>'expiresInMs')::float8 * interval '1 millisecond');
  SELECT to_json(t) INTO result FROM steadyhand.token_rows t WHERE t.id = made->>'id';
  PERFORM steadyhand.append_event(NULL, 'token.created', event);
  RETURN result;
END $$;

CREATE FUNCTION steadyhand.revoke_token(token text, event text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE steadyhand.tokens t SET revoked_at = now() WHERE t.id = token AND t.revoked_at IS NULL;
  IF FOUND THEN
    PERFORM steadyhand.append_event(NULL, 'token.revoked', event);
  ELSIF NOT EXISTS (SELECT FROM steadyhand.tokens t WHERE t.id = token) THEN
    PERFORM steadyhand.refuse('not-found', format('there is no token %s', token));
  END IF;
END $$;

GRANT SELECT ON steadyhand.token_rows TO steadyhand_application;
GRANT SELECT, INSERT ON steadyhand.documents TO steadyhand_application;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON steadyhand.tokens TO steadyhand_application;
