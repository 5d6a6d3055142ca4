import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { z } from 'zod';
import { auditSchema } from '../../api/answers.ts';
import type { RunDetail } from '../../control/contract.ts';
import type { RdsOrders } from '../rds-orders.ts';
import type { Sandbox } from '../sandbox.ts';
import { databaseAtAws as database } from './at-aws.ts';
import { reportOf, type DemoReport } from './report.ts';
import { clientOf, runToEnd } from './run-to-end.ts';

/** What is copied before, so that there is something to prune: one that nobody proves, then one that is proved. */
const earlier = [{ verification: 'none' }, { snapshot: 'new' }] as const;

/**
 * Copies a new snapshot into the other region, drills with it there and prunes: a copy that nobody had proved goes, since a newer one
 * was. The last order that was acknowledged before the snapshot must be the newest row of what was restored.
 */
export async function copyAbroadDemo(sandbox: Sandbox, orders: RdsOrders, say: (text: string) => void): Promise<DemoReport> {
  const copied = async (input: Readonly<Record<string, unknown>>): Promise<RunDetail> =>
    await runToEnd({ sandbox, say, approvers: ['grace'], ask: { runbook: 'dr-snapshot-copy', database, input } });
  for (const [at, input] of earlier.entries()) {
    say(`\n--- Before the show, ${at + 1} of ${earlier.length}: an earlier copy\n`);
    await copied(input);
  }
  const lastOrderAt = await order(orders);
  say(`\n--- The last order is of ${lastOrderAt}. Now the copy that counts\n`);
  const run = await copied({ snapshot: 'new' });
  const audit = await clientOf(sandbox).get('/v1/audit/verify', auditSchema);
  return reportOf(run, await evidenceOf(run, orders, lastOrderAt), audit.bad === null);
}

/** To the microsecond, as it is acknowledged. */
async function order(orders: RdsOrders): Promise<string> {
  const client = await orders.connect();
  try {
    const { rows } = await client.query<{ at: string }>(
      `WITH placed AS (INSERT INTO orders (total) VALUES (10) RETURNING id, placed_at),
            lines AS (INSERT INTO order_lines SELECT id, 1, 10 FROM placed)
       SELECT to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at FROM placed`,
    );
    return rows[0]?.at ?? '';
  } finally {
    await client.end();
  }
}

const proved = z.looseObject({ destinationRegion: z.string(), newestRowAt: z.string() });

/** The run's own, and what only the demo can know. What is missing counts as wrong. */
async function evidenceOf(run: RunDetail, orders: RdsOrders, lastOrderAt: string): Promise<DemoReport['evidence']> {
  const evidence = proved.safeParse(run.evidence['evidence']).data;
  if (!evidence) return {};
  const { DBInstances: left = [] } = await orders.client(evidence.destinationRegion).send(new DescribeDBInstancesCommand({}));
  return { ...evidence, lastOrderMissing: evidence.newestRowAt === lastOrderAt ? 0 : 1, instancesLeftAbroad: left.length };
}
