import { expect, test } from 'vitest';
import { interleaved } from '../../bench/frame/interleaved.ts';
import { summary } from '../../bench/frame/report.ts';

test('median and 95th percentile lie between the samples', () => {
  expect(summary([4, 1, 2, 3])).toEqual({ median: 2.5, p95: 3.85, max: 4, n: 4 });
  expect(() => summary([])).toThrow('nothing was measured');
});

test('the subjects take turns, each round begins with another one, and the warm-up does not count', async () => {
  const calls: string[] = [];
  const subject = (name: string) => async () => await Promise.resolve(calls.push(name));
  const samples = await interleaved({ one: subject('one'), two: subject('two') }, { warmUp: 1, rounds: 2 });
  expect(calls).toEqual(['one', 'two', 'two', 'one', 'one', 'two']);
  expect(samples).toEqual({ one: [4, 5], two: [3, 6] });
});
