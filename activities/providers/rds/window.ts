import type { DBInstance } from '@aws-sdk/client-rds';
import type { Rds } from './look.ts';

/** The moments that RDS can restore to: from the end of its first usable backup on; null when it keeps none. */
export async function windowOf(rds: Rds, region: string, instance: DBInstance): Promise<{ earliest: string; latest: string } | null> {
  if ((instance.BackupRetentionPeriod ?? 0) === 0) return null;
  const id = instance.DBInstanceIdentifier ?? '';
  const answer = await rds.aws.call(region, 'rds:DescribeDBInstanceAutomatedBackups', { DBInstanceIdentifier: id }, id);
  const backups = (answer.DBInstanceAutomatedBackups ?? []).filter((one) => one.DbiResourceId === instance.DbiResourceId);
  const earliest = backups[0]?.RestoreWindow?.EarliestTime;
  const latest = instance.LatestRestorableTime ?? backups[0]?.RestoreWindow?.LatestTime;
  return earliest && latest ? { earliest: earliest.toISOString(), latest: latest.toISOString() } : null;
}
