-- What a request of the API needs is one statement, and a function: a session plans it once, and not again for each request.

-- The token that is valid now, with the hashes of all its valid secrets. `stale`: its last use was noted a minute ago, or earlier.
CREATE FUNCTION steadyhand.valid_token(called text) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  found json;
BEGIN
  SELECT json_build_object('row', to_json(v), 'stale', coalesce(t.last_used_at < now() - interval '1 minute', true),
    'hashes', t.hash || ARRAY(SELECT o.hash FROM steadyhand.old_secrets o WHERE o.token = t.id AND o.valid_until > now())) INTO found
  FROM steadyhand.tokens t JOIN steadyhand.token_rows v ON v.id = t.id
  WHERE t.id = called AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now());
  RETURN found;
END $$;

-- The open runs of these databases, `most` of them: those that hold a lease come first, then the oldest. `but` is left out.
CREATE FUNCTION steadyhand.open_runs_on(databases text[], but text, most integer) RETURNS TABLE (run text, state text, holds boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT r.run, r.state, bool_or(found.holds)
  FROM (
    SELECT l.holder AS run, true AS holds FROM steadyhand.leases l WHERE l.database = ANY (databases) AND l.state = 'held'
    UNION ALL
    (SELECT o.run, false FROM steadyhand.runs o WHERE o.database = ANY (databases) AND o.state <> 'closed' ORDER BY o.id LIMIT most + 1)
  ) found JOIN steadyhand.runs r ON r.run = found.run
  WHERE r.state <> 'closed' AND r.run IS DISTINCT FROM but
  GROUP BY r.run, r.state, r.id ORDER BY bool_or(found.holds) DESC, r.id LIMIT most;
END $$;

-- `request_run` for the API: a request whose key is new is rejected while one of its databases is frozen, unless it uses break-glass.
-- Returns the other open runs on these databases as well.
CREATE FUNCTION steadyhand.admit_request(asked json, event text, glass text, most integer) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  databases text[] := ARRAY[asked->>'database'] || ARRAY(SELECT json_array_elements_text(coalesce(asked->'others', '[]')));
  named text;
  stops json;
  others json;
  made json;
BEGIN
  IF glass IS NULL AND NOT EXISTS (SELECT FROM steadyhand.requests q
    WHERE q.requester = asked->>'requester' AND q.idempotency_key = asked->>'idempotencyKey') THEN
    FOREACH named IN ARRAY databases LOOP
      stops := steadyhand.freeze_of(named);
      IF stops IS NOT NULL THEN
        PERFORM steadyhand.refuse('frozen', stops->>'text',
          json_build_object('freeze', stops->>'id', 'person', stops->>'person', 'until', stops->>'until'));
      END IF;
    END LOOP;
  END IF;
  -- Before the event is appended: from then on every other writer waits.
  SELECT coalesce(json_agg(o), '[]') INTO others FROM steadyhand.open_runs_on(databases, asked->>'run', most) o;
  made := steadyhand.request_run(asked, event, glass);
  IF NOT (made->>'created')::boolean THEN
    SELECT coalesce(json_agg(o), '[]') INTO others FROM steadyhand.open_runs_on(databases, made #>> '{request,run}', most) o;
  END IF;
  RETURN json_build_object('created', made->'created', 'request', made->'request', 'others', others);
END $$;

-- What decides whether an answer can count, of one moment: the run (by its name or its id), the question that the answer names, and who
-- has answers to it that are not judged yet. Null without such a run.
CREATE FUNCTION steadyhand.answer_context(called text, approval text, opening integer) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  found json;
BEGIN
  SELECT json_build_object('run', r.run, 'database', r.database, 'requester', r.requester, 'state', r.state, 'outcome', r.outcome,
    'forward', EXISTS (SELECT FROM steadyhand.no_return n WHERE n.key = r.run AND n.side = 'forward'),
    'question', (SELECT json_build_object('kind', q.kind, 'digest', q.digest, 'choices', q.choices, 'quorum', q.quorum,
        'deadline', q.deadline, 'agreements', q.agreements, 'answer', q.answer)
      FROM steadyhand.question_rows q WHERE q.run = r.run AND q.approval = answer_context.approval AND q.opening = answer_context.opening),
    'unjudged', (SELECT coalesce(json_agg(DISTINCT d.person), '[]') FROM steadyhand.decisions d
      WHERE d.run = r.run AND d.approval = answer_context.approval AND d.opening = answer_context.opening AND d.counts IS NULL)) INTO found
  FROM steadyhand.runs r WHERE r.run = called OR r.id = upper(called);
  RETURN found;
END $$;
