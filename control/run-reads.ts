import type { RunDetail, RunRecord, RunRow, Runs, StepPace } from './contract.ts';
import type { Db } from './db.ts';
import { asOpen, decisionColumns, questionColumns, type StoredQuestion } from './questions.ts';

const recordColumns =
  'v.run, v.runbook, v.database, v.state, v.outcome, v.because, v."left", v.requester, v.risk, v.ticket, v.input, ' +
  'v."requestedAt", v."closedAt", v.plan, v.failure, v."breakGlass", v.review';

const runColumns = `${recordColumns}, p.waits, steadyhand.freeze_for(v.run) AS frozen`;

const findQuery = `
  SELECT ${runColumns} FROM steadyhand.run_rows v LEFT JOIN steadyhand.places_in_line(ARRAY[v.run]) p ON true WHERE v.run = $1`;

/** A run with all that belongs to it, of one moment: one statement. */
const detailQuery = `
  SELECT ${runColumns},
    (SELECT coalesce(json_agg(json_build_object(
        'id', s.id, 'position', s.position, 'kind', s.kind, 'title', s.title, 'state', s.state, 'generation', s.generation,
        'attempt', s.attempt, 'startedAt', steadyhand.iso(s.started_at), 'finishedAt', steadyhand.iso(s.finished_at),
        'progress', s.progress, 'because', s.because, 'failure', s.failure,
        'superseded', (SELECT count(*) FROM steadyhand.events e
          WHERE e.run = r.run AND e.kind = 'attempt.superseded' AND e.text::json #>> '{data,step}' = s.id)) ORDER BY s.position), '[]')
      FROM steadyhand.steps s WHERE s.run = r.run) AS steps,
    (SELECT coalesce(json_agg(to_json(q) ORDER BY q."openedAt"), '[]')
      FROM (SELECT ${questionColumns} FROM steadyhand.question_rows WHERE run = r.run AND open) q) AS questions,
    (SELECT coalesce(json_agg(to_json(d) ORDER BY d."at", d.id), '[]')
      FROM (SELECT ${decisionColumns} FROM steadyhand.decision_rows WHERE run = r.run) d) AS decisions,
    (SELECT coalesce(json_object_agg(e.name, e.value ORDER BY e.name), '{}')
      FROM steadyhand.evidence e WHERE e.run = r.run) AS evidence
  FROM steadyhand.runs r JOIN steadyhand.run_rows v ON v.run = r.run LEFT JOIN steadyhand.places_in_line(ARRAY[r.run]) p ON true
  WHERE r.run = $1 OR r.id = upper($1)`;

/** The queue is computed once, for all runs of the page that wait in one. */
const pageQuery = `
  WITH page AS MATERIALIZED (
    SELECT r.run, r.id FROM steadyhand.runs r
    WHERE ($2::text IS NULL OR r.id < upper($2)) AND ($3::text IS NULL OR r.database = $3) AND ($4::text IS NULL OR r.runbook = $4)
      AND ($5::text IS NULL OR r.state = $5) AND ($6::text IS NULL OR r.outcome = $6) AND ($7::text IS NULL OR r.requester = $7)
      AND ($10::text IS NULL OR r.break_glass IS NOT NULL AND ($10 = 'used' OR r.state = 'closed' AND r.review IS NULL))
      AND ($8::timestamptz IS NULL OR r.requested_at >= $8) AND ($9::timestamptz IS NULL OR r.requested_at < $9)
    ORDER BY r.id DESC LIMIT $1)
  SELECT ${runColumns} FROM page JOIN steadyhand.run_rows v ON v.run = page.run
  LEFT JOIN steadyhand.places_in_line(ARRAY(SELECT run FROM page)) p ON p.run = page.run ORDER BY page.id DESC`;

type StoredDetail = Omit<RunDetail, 'questions'> & { questions: StoredQuestion[] };

export function readRuns(db: Db): Pick<Runs, 'find' | 'record' | 'detail' | 'list' | 'open' | 'stepPaces'> {
  return {
    find: async (run) => (await db.query<RunRow>(findQuery, [run]))[0] ?? null,
    record: async (runOrId) => {
      const which = runOrId.includes('/') ? '$1' : '(SELECT r.run FROM steadyhand.runs r WHERE r.id = upper($1))';
      return (await db.query<RunRecord>(`SELECT ${recordColumns} FROM steadyhand.run_rows v WHERE v.run = ${which}`, [runOrId]))[0] ?? null;
    },
    detail: async (runOrId) => {
      const [row] = await db.query<StoredDetail>(detailQuery, [runOrId]);
      return row === undefined ? null : { ...row, questions: row.questions.map(asOpen) };
    },
    list: ({ database, runbook, state, outcome, requester, breakGlass, since, until, before, limit }) =>
      db.query<RunRow>(
        pageQuery,
        [limit, before, database, runbook, state, outcome, requester, since, until, breakGlass].map((one) => one ?? null),
      ),
    open: async () => {
      const rows = await db.query<{ run: string }>(
        `SELECT r.run FROM steadyhand.runs r JOIN steadyhand.requests q ON q.id = r.request
         WHERE r.state <> 'closed' AND q.started_at IS NOT NULL ORDER BY r.id`,
      );
      return rows.map(({ run }) => run);
    },
    stepPaces: (runbook, database) => stepPaces(db, runbook, database),
  };
}

/** So many of the newest runs tell how long a step takes: of the database, and of all. */
const telling = 20;

/** The bytes that a step moved stand in the plan that its run followed. */
async function stepPaces(db: Db, runbook: string, database: string): Promise<Record<string, StepPace>> {
  const rows = await db.query<{ id: string; own: number | null; all: number; rate: number | null }>(
    `WITH recent AS (
       (SELECT run, database, plan FROM steadyhand.runs WHERE runbook = $1 AND database = $2 AND outcome IS DISTINCT FROM 'refused' ORDER BY id DESC LIMIT $3)
       UNION
       (SELECT run, database, plan FROM steadyhand.runs WHERE runbook = $1 AND outcome IS DISTINCT FROM 'refused' ORDER BY id DESC LIMIT $3)),
     moved AS (
       SELECT r.run, line ->> 'id' AS id, (line ->> 'bytes')::float8 AS bytes
       FROM recent r JOIN steadyhand.documents d ON d.digest = r.plan, jsonb_array_elements(d.body::jsonb -> 'steps') line),
     took AS (
       SELECT s.id, r.database = $2 AS own, extract(epoch FROM s.finished_at - s.started_at)::float8 AS seconds, m.bytes
       FROM recent r JOIN steadyhand.steps s ON s.run = r.run LEFT JOIN moved m ON m.run = s.run AND m.id = s.id
       WHERE s.state = 'done' AND s.started_at IS NOT NULL AND s.kind <> 'approval')
     SELECT id, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE own) AS own,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS all,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY bytes / seconds) FILTER (WHERE bytes > 0 AND seconds > 0) AS rate
     FROM took GROUP BY id`,
    [runbook, database, telling],
  );
  return Object.fromEntries(
    rows.map(({ id, own, all, rate }) => [
      id,
      { seconds: own ?? all, own: own !== null, ...(rate === null ? {} : { bytesPerSecond: rate }) },
    ]),
  );
}
