import { ulid } from 'ulid';
import { z } from 'zod';
import { acceptedSchema, auditSchema, judgedSchema, planSchema, runDetailSchema } from '../../api/answers.ts';
import { apiClient, type ApiClient } from '../../cli/client.ts';
import { planText } from '../../cli/plan-text.ts';
import { telling } from '../../cli/watch-table.ts';
import type { OpenQuestion, RunDetail } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { judge } from '../judge.ts';
import type { LoadReport } from '../load-report.ts';
import type { Load } from '../load.ts';
import type { Sandbox } from '../sandbox.ts';
import { until } from '../until.ts';
import { reportOf, type DemoReport } from './report.ts';

const database = 'orders';
const input = { target: 'orders-18', schema: 'already-there' } as const;
const writesBeforeMs = 2_000;
const writesAfterMs = 3_000;
const runWithinMs = 600_000;
/** How far a step is, is told this often. */
const progressEveryMs = 1_000;

/** Who asks, and who agrees: the policy wants somebody of the dbas and somebody of the owners, and not the one who asks. */
const requester = 'ada';
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
    const run = await cutover(sandbox, say);
    say('\nThe application goes on writing on the new side for a moment …\n');
    await pause(writesAfterMs);
    const report = await load.stop();
    const ada = clientOf(sandbox, requester);
    const audit = await ada.get('/v1/audit/verify', auditSchema);
    return reportOf(run, await evidenceOf(sandbox, run, report), audit.bad === null);
  } finally {
    await load.stop();
  }
}

async function writing(load: Load): Promise<void> {
  await until('the application writes', () => Promise.resolve(load.stats()?.acknowledged ? true : undefined), { withinMs: 20_000 });
  await pause(writesBeforeMs);
}

/** Requests the run, shows its plan, answers what it asks and follows it to its end. */
async function cutover(sandbox: Sandbox, say: (text: string) => void): Promise<RunDetail> {
  const ada = clientOf(sandbox, requester);
  const ask = { runbook: 'migration-cutover', database, input };
  const { id } = await ada.post('/v1/runs', ask, acceptedSchema, { 'Idempotency-Key': ulid() });
  say(`${requester} asked for the run ${id}.\n\n`);
  const path = `/v1/runs/${id}`;
  let planShown = false;
  const tell = telling(progressEveryMs);
  const deadline = Date.now() + runWithinMs;
  for (;;) {
    const now = await ada.get(path, runDetailSchema);
    if (!planShown && now.plan !== null) {
      planShown = true;
      say(`${planText(await ada.get(`${path}/plan`, planSchema))}\n`);
    }
    // Questions are answered below, so they are not shown as such.
    for (const line of tell({ ...now, questions: [] }, Date.now())) say(`${line}\n`);
    if (now.state === 'closed') return now;
    if (now.state === 'parked') throw new Failure('conflict', `the run was parked: ${now.failure?.message ?? ''}`, { run: now.run });
    if (Date.now() > deadline) throw new Failure('deadline-passed', 'the run did not end in ten minutes', { run: now.run });
    for (const question of now.questions) await agree(sandbox, path, question, say);
    await pause(200);
  }
}

async function agree(sandbox: Sandbox, path: string, question: OpenQuestion, say: (text: string) => void): Promise<void> {
  const { approval, opening, digest } = question;
  for (const person of approvers) {
    if (question.agreements.some((one) => one.person === person)) continue;
    const answer = { approval, opening, digest, choice: 'approve' };
    const judged = await clientOf(sandbox, person).post(`${path}/decisions`, answer, judgedSchema);
    say(`${person} approves "${approval}" for digest ${digest.slice(0, 12)}: ${judged.because}\n`);
  }
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

function clientOf(sandbox: Sandbox, person: string): ApiClient {
  const as = sandbox.tokens[person];
  return apiClient({ environment: sandbox.environment }, as === undefined ? {} : { as });
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
