-- The judgement that stands, with the decisions that count for the question by then: the caller needs no second look.
CREATE OR REPLACE FUNCTION steadyhand.judge(decision text, counts boolean, because text, event text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  known steadyhand.decisions;
BEGIN
  SELECT * INTO known FROM steadyhand.decisions d WHERE d.id = decision;
  IF NOT FOUND THEN
    PERFORM steadyhand.refuse('not-found', format('there is no decision %s', decision));
  END IF;
  -- One judgement at a time for a question, so that of two people at once the second one sees the first and fills the quorum.
  PERFORM FROM steadyhand.questions q WHERE q.run = known.run AND q.approval = known.approval AND q.opening = known.opening FOR UPDATE;
  UPDATE steadyhand.decisions d SET counts = judge.counts, because = judge.because, judged_at = clock_timestamp()
  WHERE d.id = decision AND d.counts IS NULL;
  IF FOUND THEN
    PERFORM steadyhand.append_event(known.run, 'decision.judged', event);
  END IF;
  SELECT * INTO known FROM steadyhand.decisions d WHERE d.id = decision;
  RETURN json_build_object('counts', known.counts, 'because', known.because,
    'agreements', steadyhand.agreements(known.run, known.approval, known.opening));
END $$;
