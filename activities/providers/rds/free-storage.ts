import { bytesOf, entryOf, instanceOf, type Rds } from './look.ts';
import { Failure } from '../../../domain/failure.ts';

const lookBackMs = 10 * 60_000;

/** CloudWatch measures once a minute; the newest figure counts. */
export async function freeStorage(rds: Rds, database: string): Promise<{ free: number | null; all: number }> {
  const { region, instance } = entryOf(rds, database);
  const now = Date.now();
  const [seen, { Datapoints: points = [] }] = await Promise.all([
    instanceOf(rds, region, instance),
    rds.aws.call(region, 'cloudwatch:GetMetricStatistics', {
      Namespace: 'AWS/RDS',
      MetricName: 'FreeStorageSpace',
      Dimensions: [{ Name: 'DBInstanceIdentifier', Value: instance }],
      StartTime: new Date(now - lookBackMs),
      EndTime: new Date(now),
      Period: 60,
      Statistics: ['Average'],
    }),
  ]);
  if (!seen) throw new Failure('not-found', `${database}: there is no instance "${instance}" in ${region}`, { database });
  const newest = points.toSorted((one, other) => (other.Timestamp?.getTime() ?? 0) - (one.Timestamp?.getTime() ?? 0))[0];
  return { free: newest?.Average ?? null, all: bytesOf(seen.AllocatedStorage) };
}
