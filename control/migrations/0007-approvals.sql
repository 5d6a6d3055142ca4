-- Answers that are taken back; reminders, and others who may answer after a while.

-- What people's last words are, in the order they were judged. Who has taken the answer back says nothing.
CREATE OR REPLACE FUNCTION steadyhand.agreements(run text, approval text, opening integer) RETURNS json LANGUAGE sql STABLE
RETURN (
  SELECT coalesce(json_agg(json_build_object('person', last.person, 'groups', last.groups, 'choice', last.choice)
    ORDER BY last.judged_at, last.id), '[]')
  FROM (
    SELECT DISTINCT ON (d.person) d.id, d.person, d.groups, d.choice, d.judged_at FROM steadyhand.decisions d
    WHERE d.run = agreements.run AND d.approval = agreements.approval AND d.opening = agreements.opening AND d.counts
    ORDER BY d.person, d.judged_at DESC, d.id DESC
  ) last
  WHERE last.choice <> 'withdraw'
);

-- What happens while nobody has settled it, in order of time: { at, quorum, done } each. With a quorum, that one holds from then on.
ALTER TABLE steadyhand.questions ADD COLUMN chain json NOT NULL DEFAULT '[]';

CREATE OR REPLACE VIEW steadyhand.question_rows AS
SELECT q.run, q.approval, q.opening, q.kind, q.digest, q.choices, q.quorum, steadyhand.iso(q.deadline) AS deadline, q.failure,
  r.requester, steadyhand.iso(q.opened_at) AS "openedAt", steadyhand.agreements(q.run, q.approval, q.opening) AS agreements,
  q.answer, q.closed_at IS NULL AS open, q.chain
FROM steadyhand.questions q JOIN steadyhand.runs r ON r.run = q.run;

-- As in 0003, with the chain.
CREATE OR REPLACE FUNCTION steadyhand.open_question(asked json, event text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO steadyhand.questions (run, approval, opening, kind, digest, choices, quorum, deadline, failure, chain)
  VALUES (asked->>'run', asked->>'approval', (asked->>'opening')::integer, asked->>'kind', asked->>'digest', asked->'choices',
    asked->'quorum', (asked->>'deadline')::timestamptz, asked->'failure', coalesce(asked->'chain', '[]'))
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM steadyhand.append_event(asked->>'run', 'approval.opened', event);
  END IF;
END $$;

-- The next thing of the chain happens: once, and only while the question is open. True when it happened now.
CREATE FUNCTION steadyhand.nudge_question(run text, approval text, opening integer, place integer, kind text, event text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.questions;
BEGIN
  SELECT * INTO known FROM steadyhand.questions q
  WHERE q.run = nudge_question.run AND q.approval = nudge_question.approval AND q.opening = nudge_question.opening FOR UPDATE;
  IF known.closed_at IS NOT NULL OR known.chain->place->>'done' IS NOT NULL OR known.chain->place IS NULL THEN
    RETURN false;
  END IF;
  UPDATE steadyhand.questions q SET
    chain = jsonb_set(known.chain::jsonb, ARRAY[place::text, 'done'], to_jsonb(steadyhand.iso(now())))::json,
    quorum = coalesce(known.chain->place->'quorum', known.quorum)
  WHERE q.run = known.run AND q.approval = known.approval AND q.opening = known.opening;
  PERFORM steadyhand.append_event(run, kind, event);
  RETURN true;
END $$;

GRANT UPDATE (chain, quorum) ON steadyhand.questions TO steadyhand_application;
