import { backupWork } from '../../activities/backup/contract.ts';
import { poolingWork } from '../../activities/pooling/contract.ts';
import { postgresWork } from '../../activities/postgres/contract.ts';
import { recoveryWork } from '../../activities/recovery/contract.ts';
import { replicationWork } from '../../activities/replication/contract.ts';
import type { Work } from '../../activities/work.ts';

const contracts: Readonly<Record<string, Readonly<Record<string, Work>>>> = {
  backup: backupWork,
  pooling: poolingWork,
  postgres: postgresWork,
  recovery: recoveryWork,
  replication: replicationWork,
};

/** The kind of work of an activity that stands in a record by its name alone, such as `backup.deleteRestored`; undefined for none of ours. */
export function workNamed(name: string): Work | undefined {
  const [folder = '', verb = ''] = name.split('.');
  return contracts[folder]?.[verb];
}
