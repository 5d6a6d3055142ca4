import type pg from 'pg';
import { z } from 'zod';
import { auditSchema } from '../../api/answers.ts';
import type { RunDetail } from '../../control/contract.ts';
import { startHeart, type Heart } from '../heart.ts';
import type { RdsOrders } from '../rds-orders.ts';
import { reconnecting, type Reconnecting } from '../reconnecting.ts';
import type { Sandbox } from '../sandbox.ts';
import { accident, makeTables } from './accident.ts';
import { databaseAtAws as database } from './at-aws.ts';
import { beatsOn, judgeSwitch } from './beats.ts';
import { reportOf, type DemoReport } from './report.ts';
import { clientOf, pause, runToEnd } from './run-to-end.ts';

const clients = 4;
const writesAfterMs = 2_000;

interface Client {
  readonly writer: Reconnecting;
  readonly heart: Heart;
}

/**
 * The same accident as of the restore, and the copy takes the place of the database in use: what was written since the second before
 * is gone there and still on the old one, and every client of the application writes again by itself.
 */
export async function switchOverDemo(sandbox: Sandbox, orders: RdsOrders, say: (text: string) => void): Promise<DemoReport> {
  const owner = await orders.connect();
  let writing: readonly Client[] = [];
  try {
    await makeTables(owner);
    writing = Array.from({ length: clients }, () => {
      const writer = reconnecting(orders.connectApplication);
      return { writer, heart: startHeart(writer, 'beats', 'parcels') };
    });
    const target = await accident(
      writing.map(({ heart }) => heart),
      owner,
      say,
    );
    // oxlint-disable-next-line unicorn/no-thenable -- a word, see the runbook's plan
    const input = { moment: target.toISOString(), then: 'switch-over' };
    const run = await runToEnd({ sandbox, say, approvers: ['grace'], ask: { runbook: 'pitr-restore', database, input } });
    say('\nThe application goes on writing on the copy for a moment …\n');
    await pause(writesAfterMs);
    await Promise.all(writing.map(async ({ heart }) => await heart.stop()));
    const audit = await clientOf(sandbox).get('/v1/audit/verify', auditSchema);
    return reportOf(run, await evidenceOf(run, orders, writing, target), audit.bad === null);
  } finally {
    await Promise.all(writing.map(async ({ writer }) => await writer.end()));
    await Promise.allSettled([...writing.map(async ({ heart }) => await heart.stop()), owner.end()]);
  }
}

const switched = z.looseObject({ lostAfterTarget: z.number(), keptAs: z.string(), secondsWithoutWrites: z.number() });

/** What is missing counts as wrong. */
async function evidenceOf(run: RunDetail, orders: RdsOrders, writing: readonly Client[], target: Date): Promise<DemoReport['evidence']> {
  const proved = switched.safeParse(run.evidence['let-in']).data;
  const letIn = run.steps.find((step) => step.id === 'let-in')?.startedAt ?? null;
  if (!proved || letIn === null) return {};
  const [copy, old] = [await orders.connect(), await orders.connectTo(proved.keptAs)];
  try {
    const acknowledged = writing.flatMap(({ heart }) => heart.beats);
    const served = new Date(letIn);
    const judged = judgeSwitch(acknowledged, { copy: await beatsOn(copy), old: await beatsOn(old) }, { target, served });
    const { lost, ...zeros } = judged;
    const wroteAgain = writing.filter(({ writer, heart }) => writer.reconnects() > 0 && heart.beats.some(({ at }) => at > served));
    return {
      ...proved,
      heartbeatsLost: lost.length,
      lostCountedOtherwise: proved.lostAfterTarget - (await ordersSince(old, target)),
      heartbeatsNotOnOld: zeros.notKept,
      heartbeatsMissing: zeros.missing,
      heartbeatsTooLate: zeros.tooLate,
      heartbeatsInDoubt: zeros.inDoubt,
      longestWriteGapSeconds: Math.max(...writing.map(({ heart }) => longestGap(heart))),
      clients: writing.length,
      clientsNotBack: writing.length - wroteAgain.length,
    };
  } finally {
    await Promise.all([copy.end(), old.end()]);
  }
}

/** As the old one has them, which nobody writes to any more. */
async function ordersSince(old: pg.Client, target: Date): Promise<number> {
  const { rows } = await old.query<{ rows: number }>('SELECT count(*)::int AS rows FROM orders WHERE placed_at > $1', [target]);
  return rows[0]?.rows ?? Number.NaN;
}

function longestGap({ beats }: Heart): number {
  const gaps = beats.slice(1).map((beat, index) => beat.at.getTime() - (beats[index]?.at.getTime() ?? 0));
  return Math.max(0, ...gaps) / 1_000;
}
