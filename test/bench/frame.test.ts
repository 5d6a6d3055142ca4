import { expect, test } from 'vitest';
import { interleaved } from '../../bench/frame/interleaved.ts';
import { paced } from '../../bench/frame/paced.ts';
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

test('at a fixed rate a slow call does not hold up the next one, and the warm-up does not count', async () => {
  let open = 0;
  let release = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  const calls: string[] = [];
  // Each call waits for the last one: a load that waited for its answers would never end.
  const subject = (name: string) => async (): Promise<number> => {
    const place = calls.push(name);
    open += 1;
    if (open === 6) release();
    await all;
    return place;
  };
  const samples = await paced({ one: subject('one'), two: subject('two') }, { warmUp: 1, rounds: 2, perSecond: 50 });
  expect(calls).toEqual(['one', 'two', 'one', 'two', 'one', 'two']);
  expect(samples).toEqual({ one: [3, 5], two: [4, 6] });
});
