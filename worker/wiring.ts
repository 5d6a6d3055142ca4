import { backupWork, type BackupActivities } from '../activities/backup/contract.ts';
import { createBackupActivities } from '../activities/backup/create-backup-activities.ts';
import { createEngineActivities } from '../activities/engine/create-engine-activities.ts';
import { createPoolingActivities } from '../activities/pooling/create-pooling-activities.ts';
import { createCompareActivity } from '../activities/postgres/compare.ts';
import { createPostgresActivities } from '../activities/postgres/create-postgres-activities.ts';
import { recoveryWork, type RecoveryActivities } from '../activities/recovery/contract.ts';
import { createRecoveryActivities } from '../activities/recovery/create-recovery-activities.ts';
import { createReplicationActivities } from '../activities/replication/create-replication-activities.ts';
import { createSwitchActivities } from '../activities/replication/switch/create-switch-activities.ts';
import { engineVerdicts, engineWork, type EngineActivities } from '../activities/engine/contract.ts';
import type { Intent } from '../control/contract.ts';
import { poolingWork, type PoolingActivities } from '../activities/pooling/contract.ts';
import { postgresWork, type PostgresActivities } from '../activities/postgres/contract.ts';
import { replicationWork, type ReplicationActivities } from '../activities/replication/contract.ts';
import { idOfTag } from '../domain/run.ts';
import { bind } from './bind.ts';
import type { Dependencies } from './dependencies.ts';

type Bound = ReturnType<typeof bind>;

/**
 * Every activity under its name. Refuses a name that is there twice, and a verb of a contract that nobody made: the worker then
 * does not start.
 */
export function wire(dependencies: Dependencies, holderOpen: (run: string) => Promise<boolean>): Bound {
  const { control, inventory, servers, catalog, planner, facts, recoveryFacts, config, log } = dependencies;
  const journal = (run: string): Promise<Intent[]> => control.attempts.journal(run);
  const journalOf = async (tag: string): Promise<Intent[]> => {
    const run = await control.runs.detail(idOfTag(tag));
    return run ? await journal(run.run) : [];
  };
  const shared = { servers, facts, journal, journalOf, noReturn: control.noReturn };
  const engine = createEngineActivities({ control, inventory, catalog, planner, holderOpen });
  const postgres = createPostgresActivities({
    ...shared,
    findings: (digest, body) => control.documents.put('findings', digest, body),
    moves: control.moves,
    controlSystemIdentifier: () => control.systemIdentifier(),
    tools: { pgDump: config.pgDump, pgRestore: config.pgRestore, environment: config.toolEnvironment },
  });
  const folders: [string, Bound][] = [
    ['engine', bind<EngineActivities>('engine', engine, control, log, engineVerdicts)],
    ['postgres', bind<PostgresActivities>('postgres', { ...postgres, ...createCompareActivity(shared) }, control, log)],
    [
      'replication',
      bind<ReplicationActivities>(
        'replication',
        { ...createReplicationActivities(shared), ...createSwitchActivities(shared) },
        control,
        log,
      ),
    ],
    [
      'recovery',
      bind<RecoveryActivities>(
        'recovery',
        createRecoveryActivities({ servers, facts: recoveryFacts, proofs: control.proofs, noReturn: control.noReturn }),
        control,
        log,
      ),
    ],
    ['pooling', bind<PoolingActivities>('pooling', createPoolingActivities(shared), control, log)],
    ['backup', bind<BackupActivities>('backup', createBackupActivities({ ...dependencies, noReturn: control.noReturn }), control, log)],
  ];
  return complete(folders, {
    engine: engineWork,
    postgres: postgresWork,
    replication: replicationWork,
    recovery: recoveryWork,
    pooling: poolingWork,
    backup: backupWork,
  });
}

function complete(folders: readonly [string, Bound][], contracts: Readonly<Record<string, object>>): Bound {
  const all: Bound = {};
  for (const [, bound] of folders) {
    for (const [name, activity] of Object.entries(bound)) {
      if (Object.hasOwn(all, name)) throw new Error(`two activities are called ${name}`);
      all[name] = activity;
    }
  }
  const missing = Object.entries(contracts).flatMap(([folder, work]) =>
    Object.keys(work)
      .map((verb) => `${folder}.${verb}`)
      .filter((name) => !Object.hasOwn(all, name)),
  );
  if (missing.length > 0) throw new Error(`nobody made the activities ${missing.join(', ')}`);
  return all;
}
