import { expect, test } from 'vitest';
import { benchApi } from '../../../bench/api/api.ts';
import { reportText } from '../../../bench/frame/table.ts';

test('the bench of the API ends with a report of every figure, in the shape of all benches', async () => {
  const { report, targets } = await benchApi({ rounds: 2, warmUp: 1, waiting: 0, log: () => undefined }, ['fast']);
  expect(Object.keys(report)).toEqual(['bench', 'machine', 'results', 'ratios']);
  expect(report.results.map(({ subject, metric, n }) => [subject, metric.replace(', fast polling', ''), n])).toEqual([
    ['api', 'start at 5/s', 2],
    ['bare', 'start at 5/s', 2],
    ['api', 'answer to next step', 2],
    ['message', 'answer to next step', 2],
    ['bare', 'answer to next step', 4],
  ]);
  expect(report.results.every((one) => one.median > 0 && one.median <= one.max && Number.isFinite(one.p95))).toBe(true);
  expect(Object.values(report.ratios).every((ratio) => ratio > 0)).toBe(true);
  expect(targets.map(({ atMost }) => atMost)).toEqual([3, 20]);
  expect(reportText(report, targets)).toContain('POST /v1/runs / bare start, fast polling');
}, 300_000);
