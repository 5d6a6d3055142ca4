-- Tokens of people and of services: what each may do, when it was used, and secrets that give way to new ones.

ALTER TABLE steadyhand.tokens
  ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service')),
  -- What was made before this may do everything, as it could.
  ADD COLUMN scopes json NOT NULL DEFAULT '["read","plan","start","decide","lease","decode","tokens"]',
  -- At most a minute behind.
  ADD COLUMN last_used_at timestamptz;
ALTER TABLE steadyhand.tokens ALTER COLUMN kind DROP DEFAULT, ALTER COLUMN scopes DROP DEFAULT;

-- Secrets that were replaced and are valid for a while.
CREATE TABLE steadyhand.old_secrets (
  token text NOT NULL REFERENCES steadyhand.tokens,
  hash text NOT NULL,
  valid_until timestamptz NOT NULL,
  PRIMARY KEY (token, hash)
);

CREATE OR REPLACE VIEW steadyhand.token_rows AS
SELECT t.id, t.person, t.note, steadyhand.iso(t.created_at) AS "createdAt", steadyhand.iso(t.expires_at) AS "expiresAt",
  steadyhand.iso(t.revoked_at) AS "revokedAt", t.kind, t.scopes, steadyhand.iso(t.last_used_at) AS "lastUsedAt",
  (SELECT steadyhand.iso(max(o.valid_until)) FROM steadyhand.old_secrets o WHERE o.token = t.id AND o.valid_until > now())
    AS "oldSecretUntil"
FROM steadyhand.tokens t;

-- As in 0005, with kind and scopes.
CREATE OR REPLACE FUNCTION steadyhand.create_token(made json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  result json;
BEGIN
  INSERT INTO steadyhand.tokens (id, person, kind, scopes, note, hash, expires_at)
  VALUES (made->>'id', made->>'person', made->>'kind', made->'scopes', made->>'note', made->>'hash',
    now() + (made->>'expiresInMs')::float8 * interval '1 millisecond');
  SELECT to_json(t) INTO result FROM steadyhand.token_rows t WHERE t.id = made->>'id';
  PERFORM steadyhand.append_event(NULL, 'token.created', event);
  RETURN result;
END $$;

-- The secret becomes another one. Every earlier one is valid for the overlap at most, and not longer than it was before.
CREATE FUNCTION steadyhand.rotate_token(token text, changed json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.tokens;
  until timestamptz := now() + (changed->>'overlapMs')::float8 * interval '1 millisecond';
  expires timestamptz := now() + (changed->>'expiresInMs')::float8 * interval '1 millisecond';
  result json;
BEGIN
  SELECT * INTO known FROM steadyhand.tokens t WHERE t.id = token FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM steadyhand.refuse('not-found', format('there is no token %s', token));
  ELSIF known.revoked_at IS NOT NULL THEN
    PERFORM steadyhand.refuse('conflict', format('the token %s was revoked: make a new one', token));
  ELSIF coalesce(expires, known.expires_at) <= now() THEN
    PERFORM steadyhand.refuse('conflict', format('the token %s has expired: make a new one, or rotate it with a new expiry', token));
  END IF;
  UPDATE steadyhand.old_secrets o SET valid_until = least(o.valid_until, until) WHERE o.token = rotate_token.token;
  INSERT INTO steadyhand.old_secrets (token, hash, valid_until) VALUES (rotate_token.token, known.hash, until);
  UPDATE steadyhand.tokens t SET hash = changed->>'hash', expires_at = coalesce(expires, t.expires_at) WHERE t.id = rotate_token.token;
  SELECT to_json(t) INTO result FROM steadyhand.token_rows t WHERE t.id = rotate_token.token;
  PERFORM steadyhand.append_event(NULL, 'token.rotated', event);
  RETURN result;
END $$;

-- Who answered: a person, or a service by its token.
ALTER TABLE steadyhand.decisions ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service'));

CREATE OR REPLACE VIEW steadyhand.decision_rows AS
SELECT id, run, approval, opening, digest, choice, person, groups, channel, reason, steadyhand.iso(at) AS "at", counts, because, kind
FROM steadyhand.decisions;

-- As in 0003, with the kind.
CREATE OR REPLACE FUNCTION steadyhand.decide(made json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  added boolean;
  result json;
BEGIN
  INSERT INTO steadyhand.decisions (id, run, approval, opening, digest, choice, person, kind, groups, channel, reason)
  VALUES (made->>'id', made->>'run', made->>'approval', (made->>'opening')::integer, made->>'digest', made->>'choice',
    made->>'person', made->>'kind', made->'groups', made->>'channel', made->>'reason')
  ON CONFLICT (id) DO NOTHING;
  added := FOUND;
  SELECT to_json(d) INTO result FROM steadyhand.decision_rows d WHERE d.id = made->>'id';
  IF added THEN
    PERFORM steadyhand.append_event(made->>'run', 'decision.made', event);
  END IF;
  RETURN result;
END $$;

GRANT SELECT, INSERT, UPDATE (valid_until) ON steadyhand.old_secrets TO steadyhand_application;
GRANT UPDATE (hash, expires_at, last_used_at) ON steadyhand.tokens TO steadyhand_application;
