import type { Db } from './db.ts';
import type { Counts, Waiting } from './service-contract.ts';

interface Line {
  readonly what: 'run' | 'closed' | 'step' | 'question' | 'lease' | 'unstarted';
  readonly name: string;
  readonly count: number;
  readonly oldest: number;
}

/** One statement, so that all numbers are of one moment. */
export async function readCounts(db: Db): Promise<Counts> {
  const lines = await db.query<Line>(
    `SELECT 'run' AS what, state AS name, count(*)::int AS count, 0::float8 AS oldest FROM steadyhand.runs
       WHERE state <> 'closed' GROUP BY state
     UNION ALL SELECT 'closed', outcome, count(*)::int, 0 FROM steadyhand.runs WHERE state = 'closed' GROUP BY outcome
     UNION ALL SELECT 'step', s.state, count(*)::int, 0 FROM steadyhand.steps s JOIN steadyhand.runs r ON r.run = s.run
       WHERE r.state <> 'closed' GROUP BY s.state
     UNION ALL SELECT 'question', kind, count(*)::int, extract(epoch FROM now() - min(opened_at))::float8 FROM steadyhand.questions
       WHERE closed_at IS NULL GROUP BY kind
     UNION ALL SELECT 'lease', state, count(*)::int, 0 FROM steadyhand.leases WHERE state <> 'free' GROUP BY state
     UNION ALL SELECT 'unstarted', '', count(*)::int, coalesce(extract(epoch FROM now() - min(q.requested_at)), 0)::float8
       FROM steadyhand.requests q JOIN steadyhand.runs r ON r.request = q.id WHERE q.started_at IS NULL AND r.state <> 'closed'`,
  );
  const of = (what: Line['what']): Line[] => lines.filter((line) => line.what === what);
  const numbers = (what: Line['what']): Record<string, number> => Object.fromEntries(of(what).map(({ name, count }) => [name, count]));
  const [unstarted] = of('unstarted');
  return {
    runs: numbers('run'),
    closed: numbers('closed'),
    steps: numbers('step'),
    questions: Object.fromEntries(of('question').map((line) => [line.name, waiting(line)])),
    leases: numbers('lease'),
    unstarted: unstarted ? waiting(unstarted) : { count: 0, oldestSeconds: 0 },
  };
}

function waiting({ count, oldest }: Line): Waiting {
  return { count, oldestSeconds: Math.max(0, oldest) };
}
