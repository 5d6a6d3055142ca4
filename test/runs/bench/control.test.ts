import { expect, test } from 'vitest';
import { benchControl } from '../../../bench/control/control.ts';
import { reportText } from '../../../bench/frame/table.ts';

test('the bench of the control database ends with a report of every figure that has a target', async () => {
  const size = { inOne: 20, others: 20, queues: 5, events: 5_000 };
  const { report, targets } = await benchControl({ rounds: 1, warmUp: 0, waiting: 0, log: () => undefined }, size);
  expect(Object.keys(report)).toEqual(['bench', 'machine', 'results', 'ratios']);
  expect(new Set(report.results.map(({ subject }) => subject)).size).toBeGreaterThan(15);
  expect(targets.every(({ measured }) => measured > 0 && Number.isFinite(measured))).toBe(true);
  expect(reportText(report, targets)).toContain('/readyz beside 30 searches, 99th percentile, ms');
}, 180_000);
