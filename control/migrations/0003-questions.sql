-- Questions to people, and their answers.

CREATE TABLE steadyhand.questions (
  run text NOT NULL REFERENCES steadyhand.runs,
  approval text NOT NULL,
  opening integer NOT NULL,
  kind text NOT NULL,
  digest text NOT NULL,
  choices json NOT NULL,
  quorum json NOT NULL,
  deadline timestamptz,
  failure json,
  opened_at timestamptz NOT NULL DEFAULT now(),
  answer text,
  closed_at timestamptz,
  PRIMARY KEY (run, approval, opening)
);

CREATE TABLE steadyhand.decisions (
  id text PRIMARY KEY,
  run text NOT NULL REFERENCES steadyhand.runs,
  approval text NOT NULL,
  opening integer NOT NULL,
  digest text NOT NULL,
  choice text NOT NULL,
  person text NOT NULL,
  groups json NOT NULL,
  channel text NOT NULL,
  reason text,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  counts boolean,
  because text,
  judged_at timestamptz
);
CREATE INDEX decisions_of_question ON steadyhand.decisions (run, approval, opening);

CREATE VIEW steadyhand.decision_rows AS
SELECT id, run, approval, opening, digest, choice, person, groups, channel, reason, steadyhand.iso(at) AS "at", counts, because
FROM steadyhand.decisions;

-- The decisions that count for a question, in the order they were judged.
CREATE FUNCTION steadyhand.agreements(run text, approval text, opening integer) RETURNS json LANGUAGE sql STABLE
RETURN (
  SELECT coalesce(json_agg(json_build_object('person', d.person, 'groups', d.groups, 'choice', d.choice) ORDER BY d.judged_at, d.id), '[]')
  FROM steadyhand.decisions d
  WHERE d.run = agreements.run AND d.approval = agreements.approval AND d.opening = agreements.opening AND d.counts
);

CREATE VIEW steadyhand.question_rows AS
SELECT q.run, q.approval, q.opening, q.kind, q.digest, q.choices, q.quorum, steadyhand.iso(q.deadline) AS deadline, q.failure,
  r.requester, steadyhand.iso(q.opened_at) AS "openedAt", steadyhand.agreements(q.run, q.approval, q.opening) AS agreements,
  q.answer, q.closed_at IS NULL AS open
FROM steadyhand.questions q JOIN steadyhand.runs r ON r.run = q.run;

CREATE FUNCTION steadyhand.open_question(asked json, event text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO steadyhand.questions (run, approval, opening, kind, digest, choices, quorum, deadline, failure)
  VALUES (asked->>'run', asked->>'approval', (asked->>'opening')::integer, asked->>'kind', asked->>'digest', asked->'choices',
    asked->'quorum', (asked->>'deadline')::timestamptz, asked->'failure')
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM steadyhand.append_event(asked->>'run', 'approval.opened', event);
  END IF;
END $$;

CREATE FUNCTION steadyhand.close_question(run text, approval text, opening integer, answer text, event text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE steadyhand.questions q SET answer = close_question.answer, closed_at = now()
  WHERE q.run = close_question.run AND q.approval = close_question.approval AND q.opening = close_question.opening
    AND q.closed_at IS NULL;
  IF FOUND THEN
    PERFORM steadyhand.append_event(run, 'approval.closed', event);
  END IF;
END $$;

CREATE FUNCTION steadyhand.decide(made json, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  added boolean;
  result json;
BEGIN
  INSERT INTO steadyhand.decisions (id, run, approval, opening, digest, choice, person, groups, channel, reason)
  VALUES (made->>'id', made->>'run', made->>'approval', (made->>'opening')::integer, made->>'digest', made->>'choice',
    made->>'person', made->'groups', made->>'channel', made->>'reason')
  ON CONFLICT (id) DO NOTHING;
  added := FOUND;
  SELECT to_json(d) INTO result FROM steadyhand.decision_rows d WHERE d.id = made->>'id';
  IF added THEN
    PERFORM steadyhand.append_event(made->>'run', 'decision.made', event);
  END IF;
  RETURN result;
END $$;

CREATE FUNCTION steadyhand.judge(decision text, counts boolean, because text, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.decisions;
  judged boolean;
  result json;
BEGIN
  SELECT * INTO known FROM steadyhand.decisions d WHERE d.id = decision;
  IF NOT FOUND THEN
    PERFORM steadyhand.refuse('not-found', format('there is no decision %s', decision));
  END IF;
  -- One judgement at a time for a question, so that of two people at once the second one sees the first and fills the quorum.
  PERFORM FROM steadyhand.questions q WHERE q.run = known.run AND q.approval = known.approval AND q.opening = known.opening FOR UPDATE;
  UPDATE steadyhand.decisions d SET counts = judge.counts, because = judge.because, judged_at = clock_timestamp()
  WHERE d.id = decision AND d.counts IS NULL;
  judged := FOUND;
  result := steadyhand.agreements(known.run, known.approval, known.opening);
  IF judged THEN
    PERFORM steadyhand.append_event(known.run, 'decision.judged', event);
  END IF;
  RETURN result;
END $$;

GRANT SELECT ON steadyhand.decision_rows, steadyhand.question_rows TO steadyhand_application;
GRANT SELECT, INSERT, UPDATE (answer, closed_at) ON steadyhand.questions TO steadyhand_application;
GRANT SELECT, INSERT, UPDATE (counts, because, judged_at) ON steadyhand.decisions TO steadyhand_application;
