import type pg from 'pg';
import { z } from 'zod';
import { auditSchema } from '../../api/answers.ts';
import type { RunDetail } from '../../control/contract.ts';
import { startHeart, type Heart } from '../heart.ts';
import type { RdsOrders } from '../rds-orders.ts';
import type { Sandbox } from '../sandbox.ts';
import { accident, makeTables } from './accident.ts';
import { databaseAtAws as database } from './at-aws.ts';
import { reportOf, type DemoReport } from './report.ts';
import { clientOf, runToEnd } from './run-to-end.ts';

/**
 * A table is dropped "by accident" while the application writes; the run finds the second before in the server's log, restores the
 * database to it and copies the table back. Every heartbeat row that was acknowledged is held against what is on the restored copy,
 * and in use in the end.
 */
export async function restoreDemo(sandbox: Sandbox, orders: RdsOrders, say: (text: string) => void): Promise<DemoReport> {
  const [writer, reader] = [await orders.connect(), await orders.connect()];
  let heart: Heart | undefined;
  try {
    await makeTables(writer);
    heart = startHeart(writer, 'beats', 'parcels');
    await accident([heart], reader, say);
    say('Nobody tells the run when it was.\n');
    let copy: Missing = { missing: Infinity, tooLate: Infinity };
    // oxlint-disable-next-line unicorn/no-thenable -- a word, see the runbook's plan
    const input = { before: { dropped: { name: 'parcels' } }, then: 'copy-back', tables: [{ name: 'parcels' }] };
    const run = await runToEnd({
      ...{ sandbox, say, approvers: ['grace'], ask: { runbook: 'pitr-restore', database, input } },
      beforeAgreeing: async (approval, now) => {
        if (approval === 'approve-next' && heart)
          copy = await heldAgainst(await orders.connectAt(address.parse(now.evidence['available'])), heart, momentOf(now));
      },
    });
    await heart.stop();
    const audit = await clientOf(sandbox).get('/v1/audit/verify', auditSchema);
    return reportOf(run, await evidenceOf(run, reader, heart, copy), audit.bad === null);
  } finally {
    await heart?.stop();
    await Promise.all([writer.end(), reader.end()]);
  }
}

const restored = z.object({ moment: z.string() });

/** The one that the run has found. */
function momentOf(run: RunDetail): Date {
  return new Date(restored.parse(run.evidence['await-moment']).moment);
}

interface Missing {
  /** Acknowledged up to the moment, and not on the restored copy. */
  readonly missing: number;
  /** On the restored copy, and of after the moment. */
  readonly tooLate: number;
}

async function heldAgainst(copy: pg.Client, heart: Heart, target: Date): Promise<Missing> {
  try {
    const counts = { missing: 0, tooLate: 0 };
    for (const table of ['beats', 'parcels']) {
      const there = await idsIn(copy, table);
      const upTo = new Set(heart.beats.filter((one) => one.table === table && one.at <= target).map((one) => one.id));
      counts.missing += lacking(upTo, there);
      counts.tooLate += lacking(there, upTo);
    }
    return counts;
  } finally {
    await copy.end();
  }
}

/** How many of the one are not in the other. */
function lacking(one: ReadonlySet<number>, other: ReadonlySet<number>): number {
  return [...one].filter((id) => !other.has(id)).length;
}

async function idsIn(client: pg.Client, table: string): Promise<Set<number>> {
  const { rows } = await client.query<{ id: string }>(`SELECT id::text FROM ${table}`);
  return new Set(rows.map((row) => Number(row.id)));
}

const address = z.object({ host: z.string(), port: z.number() });

const compared = z.looseObject({ target: z.string().nullable(), recoveredTo: z.string().nullable(), rowsBack: z.number() });

/** `lostAfterTarget`: of the rows that were acknowledged since, as the application's own account has them. */
async function evidenceOf(run: RunDetail, reader: pg.Client, heart: Heart, copy: Missing): Promise<DemoReport['evidence']> {
  const kept = new Set(heart.beats.filter((one) => one.table === 'beats').map((one) => one.id));
  const lostAfterTarget = lacking(kept, await idsIn(reader, 'beats'));
  const proved = compared.safeParse(run.evidence['compare-after']).data ?? {};
  return { ...proved, lostAfterTarget, heartbeatsMissing: copy.missing, heartbeatsTooLate: copy.tooLate };
}
