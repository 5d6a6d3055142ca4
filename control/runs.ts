import { changeParameters, stepParameter } from './change-run.ts';
import type { Runs } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { actorText, engine, eventText, tellingJson, told } from './event-text.ts';
import { openRunsOn } from './open-runs.ts';
import { readRuns } from './run-reads.ts';

/** The attempt's row stays locked from the first function on, so no newer attempt begins before the rest is written. */
const finishQuery = `
  SELECT steadyhand.lock_attempt($1, $2), CASE WHEN $4::json IS NOT NULL THEN steadyhand.record_evidence($3, $1, $4, $5) END,
    steadyhand.change_run($3, NULL, NULL, $6, '')`;

/** The plan that the run follows already, without a change, locks no row and waits for no disk: so it is after most approvals. */
const plannedQuery = `
  SELECT steadyhand.plan_run($1, $2, $3, $4), steadyhand.change_run($1, $5, $6, $7, $8)
  WHERE $5::text IS NOT NULL OR $6::json IS NOT NULL OR json_array_length($7::json) > 0
    OR NOT EXISTS (SELECT FROM steadyhand.runs r WHERE r.run = $1 AND r.plan = $2)`;

/** Each change is one statement: rows and events together or not at all. A closed run does not change any more. */
export function createRuns(db: Db): Runs {
  return {
    ...readRuns(db),
    openOn: async (databases, but) => await openRunsOn(db, databases, but),
    planned: async (run, plan) => {
      const steps = plan.steps.map((step) => ({ ...step, because: step.because ?? null }));
      const applying = plan.steps.filter((step) => step.applies).map((step) => step.id);
      const text = eventText(engine, { plan: plan.digest, steps: applying });
      await db.query(plannedQuery, [run, plan.digest, tellingJson(steps), text, ...changeParameters(plan.change ?? {})]);
    },
    change: async (run, change) => {
      await db.query('SELECT steadyhand.change_run($1, $2, $3, $4, $5)', [run, ...changeParameters(change)]);
    },
    progress: async (run, step, progress) => {
      await db.query('UPDATE steadyhand.steps SET progress = $3 WHERE run = $1 AND id = $2', [run, step, tellingJson(progress)]);
    },
    finish: async (run, { key, number, step, evidence }) => {
      await db.query(finishQuery, [
        key,
        number,
        run,
        evidence === undefined ? null : tellingJson(evidence),
        evidence === undefined ? null : eventText(engine, { evidence }),
        asJson([stepParameter(step)]),
      ]);
    },
    breakGlass: async (run, by, reason, quorum) => {
      const values = [run, by.name, told(reason), asJson(quorum), eventText(by, { reason, quorum })];
      await db.query('SELECT steadyhand.break_glass($1, $2, $3, $4, $5)', values);
    },
    review: async (run, by, reason) => {
      await db.query('SELECT steadyhand.review_run($1, $2, $3, $4)', [run, by.name, told(reason), eventText(by, { reason })]);
    },
    close: async (run, { actor = engine, ...ending }) => {
      const { outcome, because, left = [], failure } = ending;
      const text = eventText(actor, { outcome, because: because ?? null, left, failure: failure ?? null });
      await db.query('SELECT steadyhand.close_run($1, $2, $3, $4)', [run, tellingJson(ending), actorText(actor), text]);
    },
  };
}
