import { expect, test } from 'vitest';
import { quarantineParameters } from '../../../../activities/providers/rds/kit.ts';

type Rds = Parameters<typeof quarantineParameters>[0];

/** A parameter group whose settings come a page each. */
function groupOf(parameters: Readonly<Record<string, string>>): Rds {
  const all = Object.entries(parameters).map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue }));
  const call = async (_region: string, _action: string, { Marker = '0' }: { Marker?: string }): Promise<unknown> => {
    const at = Number(Marker);
    return await Promise.resolve({ Parameters: all.slice(at, at + 1), ...(at + 1 < all.length ? { Marker: String(at + 1) } : {}) });
  };
  // Nothing but this one call is made of it.
  return { aws: { call } } as unknown as Rds;
}

test('a quarantine’s parameters are read to the last page', async () => {
  const right = { work_mem: '4096', max_logical_replication_workers: '0' };
  expect(await quarantineParameters(groupOf(right), 'eu-central-1', 'quarantine')).toEqual([]);
  const cron = await quarantineParameters(groupOf({ ...right, shared_preload_libraries: 'pg_cron' }), 'eu-central-1', 'quarantine');
  expect(cron).toMatchObject([{ evidence: expect.stringContaining('preloads pg_cron') as string }]);
});
