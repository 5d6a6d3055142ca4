import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withSuperuser } from '../application/application.ts';
import { textOf, type JsonCall } from './json-call.ts';
import { rdsOf, type Place } from './place.ts';
import { systemDatabase } from './clusters/roles.ts';
import type { Instance } from './rds/model.ts';

const gibibyte = 1_073_741_824;

/** One datapoint, of now: the stand-in keeps no history. */
export async function getMetricData({ place, region, input }: JsonCall): Promise<object> {
  const queries = records(input['MetricDataQueries']);
  const results = queries.map(async (query) => {
    const metric = record(record(query['MetricStat'])['Metric']);
    const value = await measured(place, region, metric);
    const values = value === undefined ? [] : [value];
    const Timestamps = values.map(() => Math.floor(Date.now() / 1_000));
    return { Id: textOf(query, 'Id'), Label: textOf(metric, 'MetricName'), Timestamps, Values: values, StatusCode: 'Complete' };
  });
  return { MetricDataResults: await Promise.all(results), Messages: [] };
}

export async function getMetricStatistics({ place, region, input }: JsonCall): Promise<object> {
  const value = await measured(place, region, input);
  const point = { Timestamp: Math.floor(Date.now() / 1_000), Average: value, Minimum: value, Maximum: value, Sum: value, SampleCount: 1 };
  return { Label: textOf(input, 'MetricName'), Datapoints: value === undefined ? [] : [point] };
}

/** Undefined where AWS would have no datapoint: another namespace, an instance that isn't there, a metric that is not modelled. */
async function measured(place: Place, region: string, metric: JsonCall['input']): Promise<number | undefined> {
  const dimension = records(metric['Dimensions']).find((one) => textOf(one, 'Name') === 'DBInstanceIdentifier');
  const instance = rdsOf(place, region).instances[textOf(dimension ?? {}, 'Value')];
  if (textOf(metric, 'Namespace') !== 'AWS/RDS' || !instance || !place.servers.runs(instance)) return undefined;
  const measure = metrics[textOf(metric, 'MetricName')];
  return await measure?.(place, instance);
}

const metrics: Readonly<Record<string, (place: Place, instance: Instance) => Promise<number>>> = {
  FreeStorageSpace: async (place, instance) => {
    const used = await sizeOf(place.servers.writer(instance).dataDirectory);
    return Math.max(0, instance.storage * gibibyte - used);
  },
  DatabaseConnections: (place, instance) =>
    counted(place, instance, "SELECT count(*) AS value FROM pg_stat_activity WHERE backend_type = 'client backend'"),
  ReplicationSlotDiskUsage: (place, instance) =>
    counted(
      place,
      instance,
      'SELECT coalesce(sum(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0) AS value FROM pg_replication_slots',
    ),
  MaximumUsedTransactionIDs: (place, instance) => counted(place, instance, 'SELECT max(age(datfrozenxid)) AS value FROM pg_database'),
};

async function counted(place: Place, instance: Instance, sql: string): Promise<number> {
  const seen = await withSuperuser(place.servers.writer(instance), systemDatabase, (client) => client.query<{ value: string }>(sql));
  return Number(seen.rows[0]?.value ?? 0);
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : [];
}
