import pg from 'pg';
import { auditSchema } from '../../api/answers.ts';
import { apiClient } from '../../cli/client.ts';
import { judge } from '../../sandbox/judge.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { clientOf } from '../support/sandbox-client.ts';
import type { Move } from './moves.ts';
import type { Ended } from './people.ts';
import { recordProblems } from './record-problems.ts';

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
      ...(await recordProblems(control, { runs: moves.length, accepted: seen.accepted })),
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

async function chainValid({ environment, tokens }: Sandbox): Promise<string[]> {
  const { bad } = await apiClient({ environment }, { as: tokens['ada'] ?? '' }).get('/v1/audit/verify?full=true', auditSchema);
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
