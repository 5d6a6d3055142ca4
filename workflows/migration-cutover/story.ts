import { poolingWork, type PoolingActivities } from '../../activities/pooling/contract.ts';
import { postgresWork, type PostgresActivities } from '../../activities/postgres/contract.ts';
import { replicationWork, type Migration, type ReplicationActivities } from '../../activities/replication/contract.ts';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { follow } from '../engine/run.ts';
import { verbs } from '../engine/work.ts';
import type { MigrationInput, steps } from './plan.ts';
import { subject } from './subject.ts';

const postgres = verbs<PostgresActivities>('postgres', postgresWork);
const replication = verbs<ReplicationActivities>('replication', replicationWork);
const pooling = verbs<PoolingActivities>('pooling', poolingWork);

/**
 * Migration cutover: a live database moves to another server, and no acknowledged write is lost.
 *
 *  1. Check both sides. What would break the move blocks it here, before anything is touched.
 *  2. Ask for leave to prepare.
 *  3. Copy the schema, unless the application's migrations have made it.
 *  4. Try the new side through the pooler, as each of the application's users.
 *  5. Close the target to clients, so that nobody writes there early.
 *  6. Disable triggers there that would fire for each replicated change, when people chose that.
 *  7. Freeze DDL on the source until the run ends.
 *  8. Publish every table, subscribe the target, and wait for the copy.
 *  9. Let the target catch up, and give it fresh statistics.
 * 10. Ask for leave to switch, now that the copy is there to be looked at.
 * 11. Wait for a quiet moment, and keep a place on the target for those who receive the source's changes.
 * 12. Switch. From "no return" on the run only goes forward.
 * 13. Compare every row with the old side as it stood at the switch.
 * 14. Prove that the old side took no late write, and remove the replication.
 */
export async function migrationCutover(start: RunStart): Promise<RunResult> {
  return await follow<keyof typeof steps, Migration>('migration-cutover', start, ofMigration, async (run) => {
    await run.step('preflight', postgres.preflight);
    await run.approval('approve-prepare');

    await run.step('copy-schema', postgres.copySchema, { undo: postgres.removeSchema });
    await run.step('try-alias', pooling.tryAlias, { undo: pooling.removeAlias });
    await run.step('close-target', replication.closeTarget, { undo: replication.reopenTarget });
    await run.step('hold-triggers', replication.holdTriggers, { undo: replication.releaseTriggers });
    await run.step('freeze-ddl', replication.freezeDdl, { undo: replication.thawDdl });
    await run.step('publish', replication.publish, { undo: replication.unpublish });
    await run.step('subscribe', replication.subscribe, { undo: replication.unsubscribe });
    await run.step('initial-copy', replication.initialCopy, { redo: 'subscribe' });
    await run.step('catch-up', replication.catchUp, { redo: 'subscribe' });
    await run.step('analyze', postgres.analyze);

    await run.approval('approve-switch');

    await run.step('gate', replication.gate, { redo: 'subscribe' });
    await run.step('carry-subscribers', replication.carrySubscribers, { undo: replication.dropCarried });
    await run.step('switch', replication.switchOver, { undo: replication.switchBack });
    await run.step('compare', postgres.compare);
    await run.step('retire', replication.retire);
  });
}

/** The run's input was parsed by the schema of the plan at admission. */
function ofMigration(told: { database: string; input: Readonly<Record<string, unknown>>; facts: string }): Migration {
  return subject({ ...told, input: told.input as MigrationInput });
}
