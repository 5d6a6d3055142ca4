import { expect } from 'vitest';
import { pitrRestore } from '../../../workflows/pitr-restore/plan.ts';
import { eventually } from '../../support/eventually.ts';
import type { ChangingCall } from '../changing-calls.ts';
import type { Account } from '../rds/account.ts';
import { rdsStage } from '../rds/stage.ts';
import { newRdsWorld } from '../rds/world.ts';
import type { Subject, World } from '../stage.ts';

/** Two tables come back from the moment before they were lost: one is missing since, the other one lacks rows. */
export const restoreSubject: Subject = {
  runbook: pitrRestore,
  absent: [
    ...['restore-snapshot', 'own-backup', 'backed-up', 'set-passwords', 'fence', 'rename-old', 'rename-copy', 'named', 'open-copy'],
    ...['verify-switched', 'let-in'],
  ],
  noUndo: [
    ...['available', 'apply-settings', 'set-password', 'settings-applied', 'compare-settings', 'hydrate', 'verify', 'prove'],
    ...['compare-after', 'remove-restored', 'remove-aside'],
  ],
  remade: ['set-password', 'hydrate', 'remove-restored'],
  askedAgain: ['ready'],
  takesAway: ['remove-restored'],
  people: { asks: 'ada', agree: ['grace'], operates: 'grace' },
  stage: async (temporal) => await rdsStage(newWorld, temporal),
};

async function newWorld(account: Account): Promise<World> {
  const { inUse, there, ...world } = await newRdsWorld(account);
  const moment = await inUse(async (client) => {
    const { rows } = await client.query<{ next: Date }>(`SELECT date_trunc('second', clock_timestamp()) + interval '1 s' AS next`);
    return rows[0]?.next ?? new Date();
  });
  await inUse(async (client) => {
    // No sooner than the server's own clock says so.
    await eventually(async () => {
      const { rows } = await client.query<{ over: boolean }>(`SELECT clock_timestamp() > $1::timestamptz + interval '50 ms' AS over`, [
        moment,
      ]);
      return rows[0]?.over === true || undefined;
    });
    await client.query('DROP TABLE parcels; DELETE FROM order_lines WHERE order_id > 90; INSERT INTO orders (total) VALUES (0)');
  });
  return {
    ...world,
    input: {
      moment: `${moment.toISOString().slice(0, 19)}Z`,
      // oxlint-disable-next-line unicorn/no-thenable -- a word, see the runbook's plan
      then: 'copy-back',
      tables: [{ name: 'parcels' }, { name: 'order_lines', where: 'order_id > 80' }],
    },
    judge: async () => {
      const counts = await inUse(async (client) => {
        const { rows } = await client.query(
          `SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM order_lines) AS lines, (SELECT count(*)::int FROM parcels) AS parcels,
                  (SELECT count(*)::int FROM pg_namespace WHERE nspname LIKE 'steadyhand%') AS ours`,
        );
        return rows;
      });
      expect(counts).toEqual([{ orders: 101, lines: 300, parcels: 100, ours: 0 }]);
      expect(await there()).toEqual({ instances: ['orders'], snapshots: ['template'] });
    },
  };
}

/** Every call of the run that changes something at AWS. */
export const restoreCalls: readonly ChangingCall[] = [
  { action: 'RestoreDBInstanceToPointInTime', step: 'restore-moment', makes: { kind: 'instance', where: 'home' } },
  { action: 'ModifyDBInstance', step: 'apply-settings' },
  { action: 'ModifyDBInstance', step: 'set-password', after: 1 },
  { action: 'DeleteDBInstance', step: 'remove-restored', takes: { kind: 'instance', where: 'home' } },
];
