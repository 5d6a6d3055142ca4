import type pg from 'pg';

export interface Asked {
  /** How many runs were asked for, each of a database of its own. */
  readonly runs: number;
  /** Ids of the decisions that the API took. */
  readonly accepted: readonly string[];
}

/** What the control database tells that must not be, whatever was killed. */
export async function recordProblems(control: pg.Client, { runs, accepted }: Asked): Promise<string[]> {
  return [
    ...(await runsOnce(control, runs)),
    ...(await decisionsKept(control, accepted)),
    ...(await effectsOnce(control)),
    ...(await leasesExplained(control)),
  ];
}

async function runsOnce(control: pg.Client, asked: number): Promise<string[]> {
  const { rows } = await control.query<{ database: string; runs: string }>(
    'SELECT database, count(*) AS runs FROM steadyhand.runs GROUP BY 1 HAVING count(*) <> 1',
  );
  const { rows: all } = await control.query<{ runs: string }>('SELECT count(*) AS runs FROM steadyhand.runs');
  const wrong = rows.map((row) => `${row.database} has ${row.runs} runs, asked for once`);
  return Number(all[0]?.runs) === asked ? wrong : [...wrong, `${all[0]?.runs} runs instead of ${asked}`];
}

async function decisionsKept(control: pg.Client, accepted: readonly string[]): Promise<string[]> {
  const { rows } = await control.query<{ id: string; counts: boolean | null }>('SELECT id, counts FROM steadyhand.decisions');
  const kept = new Map(rows.map((row) => [row.id, row.counts]));
  return accepted.flatMap((id) => {
    if (!kept.has(id)) return [`the decision ${id} is lost`];
    return kept.get(id) === null ? [`the decision ${id} was never judged`] : [];
  });
}

/** Each key is made once; a later attempt adopts it. */
async function effectsOnce(control: pg.Client): Promise<string[]> {
  const { rows } = await control.query<{ key: string; times: string }>(
    `SELECT text::json->'data'->>'key' AS key, count(*) AS times FROM steadyhand.events
      WHERE kind = 'attempt.settled' AND text::json->'data'->>'outcome' = 'made' GROUP BY 1 HAVING count(*) > 1`,
  );
  return rows.map((row) => `${row.key} was made ${row.times} times`);
}

/** Free, or orphaned by a run whose event names what it left. */
async function leasesExplained(control: pg.Client): Promise<string[]> {
  const { rows } = await control.query<{ database: string; state: string; holder: string }>(
    `SELECT database, state, holder FROM steadyhand.leases l
      WHERE state <> 'free' AND NOT (state = 'orphaned'
        AND EXISTS (SELECT FROM steadyhand.events e WHERE e.run = l.holder AND e.kind = 'lease.orphaned'))`,
  );
  return rows.map((row) => `the lease of ${row.database} is ${row.state} (${row.holder})`);
}
