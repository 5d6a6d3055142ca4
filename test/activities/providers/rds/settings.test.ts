import { expect, test } from 'vitest';
import { differencesOf, modifyInput, readSettings, restoreInput } from '../../../../activities/providers/rds/settings.ts';

test.for([
  ['what gp3 gives by itself', { StorageType: 'gp3', Iops: 3_000, StorageThroughput: 125 }, {}],
  ['what was bought beyond it', { StorageType: 'gp3', Iops: 12_000, StorageThroughput: 500 }, { Iops: 12_000, StorageThroughput: 500 }],
  ['the IOPS of io1, however few', { StorageType: 'io1', Iops: 1_000, StorageThroughput: 0 }, { Iops: 1_000 }],
  ['the IOPS of io2 alone', { StorageType: 'io2', Iops: 3_000, StorageThroughput: 750 }, { Iops: 3_000 }],
  ['none where there are none', { StorageType: 'gp2' }, {}],
] as const)('a restore is told: %s', ([, storage, told]) => {
  const { StorageType, Iops, StorageThroughput } = restoreInput(readSettings(storage));
  expect({ StorageType, Iops, StorageThroughput }).toEqual({ StorageType: storage.StorageType, ...told });
});

test('of storage a change is told nothing, and what differs is told all the same', () => {
  const planned = readSettings({ StorageType: 'io1', Iops: 2_000 });
  expect(Object.keys(modifyInput(planned)).filter((name) => /^(?:Storage|Iops)/.test(name))).toEqual([]);
  const found = { StorageType: 'io1', Iops: 1_000 };
  const [all, asked] = [differencesOf(planned, found), differencesOf(planned, found, { modifiable: true })];
  expect([all, asked]).toEqual([[{ setting: 'Iops', planned: 2_000, found: 1_000 }], []]);
});
