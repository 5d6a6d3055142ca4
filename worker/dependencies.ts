import { pino, type Logger } from 'pino';
import { createAws } from '../activities/aws/aws.ts';
import { backupCommands } from '../activities/backup/commands.ts';
import { takeBackupFacts, takeCopyAbroadFacts, takeOldFacts, type Ledger } from '../activities/backup/take-facts.ts';
import * as poolingCommands from '../activities/pooling/commands.ts';
import * as comparingCommands from '../activities/postgres/compare-commands.ts';
import * as postgresCommands from '../activities/postgres/commands.ts';
import { createServers, type Servers } from '../activities/postgres/session.ts';
import * as recoveryCommands from '../activities/recovery/commands.ts';
import { takeRestoreFacts } from '../activities/recovery/take-restore-facts.ts';
import { createProviders, lookAtProvider, type Providers } from '../activities/providers/provider-of.ts';
import type { BackupFacts } from '../activities/providers/backup-facts.ts';
import type { FactsOfRecovery } from '../activities/recovery/create-recovery-activities.ts';
import * as replicationCommands from '../activities/replication/commands.ts';
import type { Migration } from '../activities/replication/contract.ts';
import type { MigrationFacts } from '../activities/replication/facts.ts';
import * as triggerCommands from '../activities/replication/trigger-commands.ts';
import * as carryingCommands from '../activities/replication/subscribers/commands.ts';
import * as switchingCommands from '../activities/replication/switch/commands.ts';
import { createPlanner, type Planner } from '../activities/engine/planner.ts';
import { createPreview, type Preview, type PreviewOrder } from '../activities/engine/preview.ts';
import { previewMigration } from '../activities/postgres/preview-migration.ts';
import { taggedObjects } from '../activities/replication/tagged-objects.ts';
import { takeMigrationFacts } from '../activities/replication/take-facts.ts';
import { createControl } from '../control/control.ts';
import type { Control } from '../control/contract.ts';
import type { Inventory } from '../domain/inventory.ts';
import type { OwnedLook, TaggedLook } from '../domain/leftover.ts';
import type { Plan } from '../domain/plan.ts';
import type { LookAtProvider } from '../domain/require-provider.ts';
import { catalog } from '../workflows/catalog.ts';
import type { MigrationInput } from '../workflows/migration-cutover/plan.ts';
import { subject as migrationSubject } from '../workflows/migration-cutover/subject.ts';
import type { Config } from './config.ts';
import { inventoryFile } from './inventory-file.ts';

/** Everything that worker, API and host commands are made of, without Temporal. */
export interface Dependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly control: Control;
  inventory(): Inventory;
  readonly servers: Servers;
  readonly providers: Providers;
  readonly catalog: typeof catalog;
  readonly planner: Planner;
  /** Who runs a database, and what that provider lacks. Asks no server. */
  readonly provider: LookAtProvider;
  /** The plan with what would stop it now, before anybody asks for a run. */
  preview(order: PreviewOrder): Promise<Preview>;
  /** What stands on a database and bears the name of a run. */
  tagged(database: string): Promise<TaggedLook>;
  /** What runs have made at its provider. */
  owned(database: string): Promise<OwnedLook>;
  /** The facts that are stored under this digest. */
  facts(digest: string): Promise<MigrationFacts>;
  backupFacts(digest: string): Promise<BackupFacts>;
  /** The same, of a runbook that works with a restored copy. */
  recoveryFacts(digest: string): Promise<FactsOfRecovery>;
  close(): Promise<void>;
}

export interface DependencyOptions {
  /** Shown in pg_stat_activity of the control database. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `plan --offline` passes false: then neither estimates nor journals are read. */
  readonly withControl?: boolean;
}

/** Throws `configuration-invalid` when the inventory has problems; connects to nothing before it is used. */
export function createDependencies(config: Config, options: DependencyOptions): Dependencies {
  const log = pino({ level: config.logLevel, base: { process: options.name }, redact: ['password', 'token', '*.password', '*.token'] });
  const inventory = inventoryFile(config.inventoryFile, log);
  const aws = createAws();
  const servers = createServers(inventory, options.environment, aws);
  const control = createControl({ ...config.control, applicationName: options.name });
  const commands = {
    backup: backupCommands,
    comparing: comparingCommands,
    pooling: poolingCommands,
    postgres: postgresCommands,
    recovery: recoveryCommands,
    replication: replicationCommands,
    carrying: carryingCommands,
    switching: switchingCommands,
    triggers: triggerCommands,
  };
  const providers = createProviders(servers, aws, config.awsLookMs);
  const provider = lookAtProvider(providers, servers.entry);
  const planner = createPlanner({
    provider,
    catalog,
    commands,
    takeFacts: {
      'backup-now': takeBackupFacts({ servers, providers }),
      'dr-snapshot-copy': takeCopyAbroadFacts({ servers, providers }, options.withControl === false ? undefined : ledgerOf(control)),
      'migration-cutover': takeMigrationFacts(servers, options.withControl === false ? undefined : control.moves),
      'pitr-restore': takeRestoreFacts(servers, providers, inventory),
      'remove-old': takeOldFacts({ servers, providers }, inventory),
    },
    ...(options.withControl === false ? {} : { control }),
  });
  const tools = { pgDump: config.pgDump, pgRestore: config.pgRestore, environment: config.toolEnvironment };
  const known = options.withControl === false ? {} : { control };
  const checks = { 'migration-cutover': previewMigration({ servers, tools, subject: migrationOf, ...known }) };
  return {
    config,
    log,
    control,
    inventory,
    servers,
    providers,
    catalog,
    planner,
    provider,
    preview: createPreview({ planner, catalog, checks, ...known }),
    tagged: async (database) => await taggedObjects(servers, database),
    owned: async (database) => (await providers[servers.entry(database).provider].owned?.list(database)) ?? { objects: [], unseen: [] },
    // Stored by the activity that made the plan from them.
    facts: async (digest) => (await control.documents.get(digest)) as MigrationFacts,
    backupFacts: async (digest) => (await control.documents.get(digest)) as BackupFacts,
    recoveryFacts: async (digest) => (await control.documents.get(digest)) as FactsOfRecovery,
    close: () => control.close(),
  };
}

/** The planner has parsed the input by the runbook's schema. */
function migrationOf({ database, input, facts }: Plan): Migration {
  return migrationSubject({ database, input: input as MigrationInput, facts });
}

function ledgerOf({ proofs, runs }: Control): Ledger {
  return { proofs: async (filter) => await proofs.list(filter), isKnown: async (run) => (await runs.find(run)) !== null };
}
