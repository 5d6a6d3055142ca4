import { expect, test } from 'vitest';
import { benchEngine } from '../../../bench/engine/engine.ts';
import { reportText } from '../../../bench/frame/table.ts';

test('the bench of the engine ends with a report of every figure, in the shape of all benches', async () => {
  const { report, targets } = await benchEngine({ rounds: 1, warmUp: 0, waiting: 4, log: () => undefined }, ['fast']);
  expect(Object.keys(report)).toEqual(['bench', 'machine', 'results', 'ratios']);
  expect(report.results.map(({ subject, metric, n }) => [subject, metric.replace(', fast polling', ''), n])).toEqual([
    ['bare', 'marginal step', 1],
    ['change', 'marginal step', 1],
    ['check', 'marginal step', 1],
    ['change', 'fixed cost of a run', 1],
    ['check', 'fixed cost of a run', 1],
    ['bare', 'signal to next step', 1],
    ['engine', 'approval to next step', 1],
    ['a wait that looks every 2 s', 'memory of a waiting run', 4],
    ['a wait that looks every 2 s', 'growth of the process for a waiting run', 4],
    ['among 4 waiting', 'delay of a quick step', 1],
    ['an approval', 'memory of a waiting run', 4],
    ['an approval', 'growth of the process for a waiting run', 4],
    ['bare', 'memory of a waiting run', 4],
    ['bare', 'growth of the process for a waiting run', 4],
  ]);
  expect(report.results.every((one) => one.median <= one.max && Number.isFinite(one.p95))).toBe(true);
  expect(Object.values(report.ratios).some(Number.isFinite)).toBe(true);
  expect(reportText(report, targets)).toContain('the latest quick step among the waiting runs');
}, 300_000);
