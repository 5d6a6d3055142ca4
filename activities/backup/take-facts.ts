import type { FactsOrder } from '../engine/planner.ts';
import { capable, type Providers } from '../providers/provider-of.ts';
import type { BackupFacts, BackupOrder } from '../providers/backup-facts.ts';
import type { BackupDependencies } from './create-backup-activities.ts';

interface Places {
  readonly servers: BackupDependencies['servers'];
  readonly providers: Providers;
}

/** The facts of a backup now: read-only. Raises `plan-impossible` for a provider that makes none, and what its `inspect` does. */
export function takeBackupFacts(places: Places) {
  return async (order: FactsOrder): Promise<BackupFacts> => await inspected(places, order, { snapshot: true });
}

async function inspected(
  { servers, providers }: Places,
  { database, run }: FactsOrder,
  wanted: Omit<BackupOrder, 'database' | 'run'>,
): Promise<BackupFacts> {
  const { inspect } = capable(providers[servers.entry(database).provider], 'restore', database);
  return await inspect({ database, ...(run === undefined ? {} : { run }), ...wanted });
}
