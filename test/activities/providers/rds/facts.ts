import type { BackupFacts, RestoreFrom, Settings } from '../../../../activities/providers/backup-facts.ts';
import { readSettings } from '../../../../activities/providers/rds/settings.ts';
import { home, type RdsWorld } from '../../../support/providers/rds.ts';

/** Facts as `inspect` takes them, of an instance that is there, without its checks. */
export async function factsOf(
  world: RdsWorld,
  { id = 'orders', from = null as RestoreFrom | null, quarantine = {} as Settings } = {},
): Promise<BackupFacts> {
  const source = await world.instance(id);
  if (!source) throw new Error(`no instance ${id}`);
  return {
    binding: {
      provider: 'rds',
      database: 'orders',
      source: {
        id,
        arn: source.DBInstanceArn ?? '',
        resource: source.DbiResourceId ?? '',
        region: home,
        engine: 'postgres',
        version: source.EngineVersion ?? '',
        encrypted: false,
        asMainUser: true,
      },
      restore: from && { from, region: home },
      copy: null,
      settings: readSettings(source),
      quarantine: { VpcSecurityGroupIds: ['sg-quarantine'], DeletionProtection: false, ...quarantine },
    },
    observed: { bytes: 0, window: null, takenAt: null },
  };
}
