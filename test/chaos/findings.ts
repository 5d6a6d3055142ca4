import pg from 'pg';
import { auditSchema } from '../../api/answers.ts';
import { apiClient } from '../../cli/client.ts';
import { judge } from '../../sandbox/judge.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { clientOf } from '../support/sandbox-client.ts';
import type { Move } from './moves.ts';
import type { Ended } from './people.ts';

export interface Findings {
  readonly told: readonly string[];
  readonly problems: readonly string[];
}

/** What must hold whatever was killed: see the names of the parts. */
export async function findings(sandbox: Sandbox, moves: readonly Move[], seen: Ended): Promise<Findings> {
  const control = new pg.Client(clusterLogin(sandbox));
  await control.connect();
  try {
    const outcomes = await control.query<{ outcome: string; runs: string }>(
      'SELECT coalesce(outcome, state) AS outcome, count(*) AS runs FROM steadyhand.runs GROUP BY 1 ORDER BY 1',
    );
    const attempts = await control.query<{ repeated: string }>(
      'SELECT count(*) FILTER (WHERE number > 1) AS repeated FROM steadyhand.attempts',
    );
    const problems = [
      ...seen.stuck.map((run) => `stuck: ${run}`),
      ...seen.wrong,
      ...(await runsOnce(control, moves)),
      ...(await decisionsKept(control, seen.accepted)),
      ...(await effectsOnce(control)),
      ...(await leasesExplained(control)),
      ...(await chainValid(sandbox)),
      ...(await rowsRight(sandbox, moves, control)),
    ];
    const told = [
      `outcomes: ${outcomes.rows.map((row) => `${row.outcome} ${row.runs}`).join(', ')}`,
      `${seen.accepted.length} decisions taken; steps that needed a second attempt: ${attempts.rows[0]?.repeated}`,
    ];
    return { told, problems };
  } finally {
    await control.end();
  }
}

function clusterLogin({ control: { host, port, superuser: user, password } }: Sandbox): pg.ClientConfig {
  return { host, port, user, password, database: 'steadyhand' };
}

async function runsOnce(control: pg.Client, moves: readonly Move[]): Promise<string[]> {
  const { rows } = await control.query<{ database: string; runs: string }>(
    'SELECT database, count(*) AS runs FROM steadyhand.runs GROUP BY 1 HAVING count(*) <> 1',
  );
  const { rows: all } = await control.query<{ runs: string }>('SELECT count(*) AS runs FROM steadyhand.runs');
  const wrong = rows.map((row) => `${row.database} has ${row.runs} runs, asked for once`);
  return Number(all[0]?.runs) === moves.length ? wrong : [...wrong, `${all[0]?.runs} runs instead of ${moves.length}`];
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

async function chainValid({ environment, tokens }: Sandbox): Promise<string[]> {
  const { bad } = await apiClient({ environment }, { as: tokens['ada'] ?? '' }).get('/v1/audit/verify', auditSchema);
  return bad ? [`the audit's row ${bad.seq}: ${bad.what}`] : [];
}

/** What the clients were told is there, once, on the side that serves; nothing of a run is left behind that it does not name. */
async function rowsRight(sandbox: Sandbox, moves: readonly Move[], control: pg.Client): Promise<string[]> {
  const wrong: string[] = [];
  for (const move of moves) {
    const report = await move.stopWriting();
    const { rows } = await control.query<{ outcome: string | null }>('SELECT outcome FROM steadyhand.runs WHERE database = $1', [
      move.database,
    ]);
    const [source, target] = [await clientOf(sandbox, sandbox.source, move.dbname), await clientOf(sandbox, sandbox.target, move.dbname)];
    const moved = rows[0]?.outcome === 'succeeded';
    const verdict = moved ? await judge(report, target, source) : await judge(report, source);
    const { lost, ghost, duplicated, torn, sequencesBehind, oldSideWritesAfterFence } = verdict;
    const counts = {
      lost,
      ghost,
      duplicated,
      torn,
      sequencesBehind: sequencesBehind.length,
      oldSideWritesAfterFence: oldSideWritesAfterFence ?? 0,
    };
    const bad = Object.entries(counts).filter(([, count]) => count > 0);
    if (bad.length > 0) wrong.push(`${move.database} (${rows[0]?.outcome}): ${bad.map(([what, count]) => `${what} ${count}`).join(', ')}`);
    if (report.unresolved > 0 && moved) wrong.push(`${move.database}: a client does not know whether its last write is there`);
    const slots = await source.query('SELECT slot_name FROM pg_replication_slots WHERE database = current_database()');
    if (slots.rowCount !== 0 && rows[0]?.outcome !== 'needs-attention') wrong.push(`${move.database}: a slot is left`);
    await Promise.all([source.end(), target.end()]);
  }
  return wrong;
}
