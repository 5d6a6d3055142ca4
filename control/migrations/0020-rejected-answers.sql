-- Answers that can't count are recorded as rejected and never reach the run; each person's answers to one question are limited.

-- Rows that a person may have for one question: rejected ones, and all. The second is larger, so a person whose answers could not
-- count can still answer once they can.
CREATE FUNCTION steadyhand.answer_limit(rejected boolean) RETURNS integer LANGUAGE sql IMMUTABLE
RETURN CASE WHEN rejected THEN 20 ELSE 50 END;

-- The rows that a person has for the question. All questions that were never asked count as one: anybody can invent more of them.
CREATE FUNCTION steadyhand.answers_given(run text, approval text, opening integer, person text) RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF approval = 'run' OR EXISTS (SELECT FROM steadyhand.questions q
    WHERE q.run = answers_given.run AND q.approval = answers_given.approval AND q.opening = answers_given.opening) THEN
    RETURN (SELECT count(*) FROM steadyhand.decisions d WHERE d.run = answers_given.run AND d.approval = answers_given.approval
      AND d.opening = answers_given.opening AND d.person = answers_given.person);
  END IF;
  RETURN (SELECT count(*) FROM steadyhand.decisions d WHERE d.run = answers_given.run AND d.person = answers_given.person
    AND d.approval <> 'run' AND NOT EXISTS (SELECT FROM steadyhand.questions q
      WHERE q.run = d.run AND q.approval = d.approval AND q.opening = d.opening));
END $$;

-- As in 0008, with the limit. `rejected`: { because, event } of an answer that can't count, null of one that the run is to judge.
DROP FUNCTION steadyhand.decide(json, text);
CREATE FUNCTION steadyhand.decide(made json, event text, rejected json) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  given integer;
  added boolean;
  result json;
BEGIN
  -- One answer of a person to a run at a time, so that many at once are counted one after the other.
  PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws('/', made->>'run', made->>'person'), 20));
  given := steadyhand.answers_given(made->>'run', made->>'approval', (made->>'opening')::integer, made->>'person');
  IF given >= steadyhand.answer_limit(rejected IS NOT NULL)
    AND NOT EXISTS (SELECT FROM steadyhand.decisions d WHERE d.id = made->>'id') THEN
    PERFORM steadyhand.refuse('too-many-answers',
      format('%s has given %s answers to "%s" of this run', made->>'person', given, made->>'approval')
        || coalesce('; this one does not count either: ' || (rejected->>'because'), ''),
      json_build_object('answers', given));
  END IF;
  INSERT INTO steadyhand.decisions
    (id, run, approval, opening, digest, choice, person, kind, groups, channel, reason, counts, because, judged_at, delivered_at)
  VALUES (made->>'id', made->>'run', made->>'approval', (made->>'opening')::integer, made->>'digest', made->>'choice',
    made->>'person', made->>'kind', made->'groups', made->>'channel', made->>'reason',
    CASE WHEN rejected IS NOT NULL THEN false END, rejected->>'because',
    CASE WHEN rejected IS NOT NULL THEN clock_timestamp() END, CASE WHEN rejected IS NOT NULL THEN clock_timestamp() END)
  ON CONFLICT (id) DO NOTHING;
  added := FOUND;
  SELECT to_json(d) INTO result FROM steadyhand.decision_rows d WHERE d.id = made->>'id';
  IF added THEN
    PERFORM steadyhand.append_event(made->>'run', 'decision.made', event);
    IF rejected IS NOT NULL THEN
      PERFORM steadyhand.append_event(made->>'run', 'decision.judged', rejected->>'event');
    END IF;
  END IF;
  RETURN result;
END $$;
