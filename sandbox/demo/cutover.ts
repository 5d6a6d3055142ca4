import { z } from 'zod';
import { auditSchema } from '../../api/answers.ts';
import type { RunDetail } from '../../control/contract.ts';
import { judge } from '../judge.ts';
import type { LoadReport } from '../load-report.ts';
import type { Load } from '../load.ts';
import type { Sandbox } from '../sandbox.ts';
import { until } from '../until.ts';
import { reportOf, type DemoReport } from './report.ts';
import { clientOf, pause, runToEnd } from './run-to-end.ts';

const database = 'orders';
const input = { target: 'orders-18', schema: 'already-there' } as const;
const writesBeforeMs = 2_000;
const writesAfterMs = 3_000;

/** The policy wants somebody of the dbas and somebody of the owners. */
const approvers = ['grace', 'linus'] as const;

/**
 * Moves the sandbox's database to the new server while the application writes: asks as one person, agrees as two others, all by
 * the API, and holds what the application's clients were told against what is there in the end.
 */
export async function cutoverDemo(sandbox: Sandbox, say: (text: string) => void): Promise<DemoReport> {
  const load = sandbox.load();
  try {
    await writing(load);
    say(`The application writes: ${load.stats()?.perSecond ?? 0} acknowledged writes a second.\n`);
    const run = await runToEnd({ sandbox, say, approvers, ask: { runbook: 'migration-cutover', database, input } });
    say('\nThe application goes on writing on the new side for a moment …\n');
    await pause(writesAfterMs);
    const report = await load.stop();
    const audit = await clientOf(sandbox).get('/v1/audit/verify', auditSchema);
    return reportOf(run, await evidenceOf(sandbox, run, report), audit.bad === null);
  } finally {
    await load.stop();
  }
}

async function writing(load: Load): Promise<void> {
  await until('the application writes', () => Promise.resolve(load.stats()?.acknowledged ? true : undefined), { withinMs: 20_000 });
  await pause(writesBeforeMs);
}

const compared = z.object({ rowsCompared: z.number(), tablesDiffering: z.number() });
const switched = z.object({ pauseMs: z.number() });

async function evidenceOf(sandbox: Sandbox, run: RunDetail, report: LoadReport): Promise<DemoReport['evidence']> {
  const [source, target] = [await sandbox.connect('source'), await sandbox.connect('target')];
  try {
    // The side in charge: the old one when the run did not get through.
    const verdict = run.outcome === 'succeeded' ? await judge(report, target, source) : await judge(report, source);
    const comparison = compared.safeParse(run.evidence['compare']);
    const traffic = switched.safeParse(run.evidence['switch']);
    return {
      way: sandbox.pgbouncer ? 'pgbouncer' : 'none',
      acknowledgedPerSecond: Math.round(report.acknowledgedPerSecond),
      pauseMs: traffic.data?.pauseMs ?? null,
      longestWriteGapMs: Math.round(report.longestWriteGapMs),
      clientErrors: report.clientErrors,
      acknowledged: report.acknowledged,
      inDoubt: report.inDoubt,
      inDoubtUnresolved: report.unresolved,
      lost: verdict.lost,
      ghost: verdict.ghost,
      duplicated: verdict.duplicated,
      sequencesBehind: verdict.sequencesBehind.length,
      oldSideWritesAfterFence: verdict.oldSideWritesAfterFence,
      rowsCompared: comparison.data?.rowsCompared ?? null,
      tablesDiffering: comparison.data?.tablesDiffering ?? null,
    };
  } finally {
    await source.end();
    await target.end();
  }
}
