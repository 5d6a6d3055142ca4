import { expect, test } from 'vitest';
import { reportText } from '../../../bench/frame/table.ts';
import { benchRestore } from '../../../bench/restore/restore.ts';
import { timingOf } from '../../../bench/restore/timing.ts';
import type { CallRecord } from '../../../sandbox/aws/calls.ts';

const call = (at: number, action: string, parameters: Record<string, unknown> = {}): CallRecord => ({
  ...{ at: new Date(at).toISOString(), requestId: '', service: 'rds', region: 'eu-central-1', accessKeyId: '', userAgent: '', status: 200 },
  ...{ action, parameters },
});

/** A removal takes 180 s at AWS, so 1.8 s a hundred times faster; looked at every 100 ms, which take 20 ms more. */
function removal(): CallRecord[] {
  const looks = Array.from({ length: 16 }, (_, index) => call(1_100 + 20 + index * 120, 'DescribeDBInstances'));
  return [call(500, 'DescribeDBParameters'), call(1_000, 'DeleteDBInstance'), call(1_005, 'DescribeDBInstances'), ...looks];
}

test('what AWS takes is drawn out, what is between its works stays, and a look comes half a pace late', () => {
  const timing = timingOf(removal(), { from: 0, to: 3_500 }, { factor: 100, paceMs: 10_000 });
  // Looks at 1005 and each 120 ms from 1120 on: the first one after 2800 is at 2800.
  expect(timing).toMatchObject({ wholeMs: 3_500, polls: 16, otherCalls: 3 });
  // 1.7 s of its own, three other calls, 180 s, and half of the 10.02 s between two looks.
  expect(timing.wholeAtAwsMs).toBeCloseTo(1_700 + 300 + 180_000 + 5_010, 0);
  expect(timing.pollsAtAws).toBeCloseTo(1 + 180 / 10.02 + 0.5, 3);
});

test('a call that was refused is waited for by nobody, and one that nobody looks after is an error', () => {
  const refused = { ...call(1_000, 'DeleteDBInstance'), status: 400 };
  const scale = { factor: 100, paceMs: 10_000 };
  expect(timingOf([...removal(), refused], { from: 0, to: 3_500 }, scale)).toMatchObject({ polls: 16, otherCalls: 4 });
  expect(() => timingOf([call(1_000, 'CopyDBSnapshot')], { from: 0, to: 3_500 }, scale)).toThrow('nobody looked');
});

test('the bench of restores ends with a report of both runbooks beside their scripts', async () => {
  const { report, targets } = await benchRestore({ rounds: 1, warmUp: 0, waiting: 0, log: () => undefined }, { factor: 300 });
  expect(Object.keys(report)).toEqual(['bench', 'machine', 'results', 'ratios']);
  const subjects = ['script of pitr-restore', 'pitr-restore', 'script of dr-snapshot-copy', 'dr-snapshot-copy'];
  expect([...new Set(report.results.map(({ subject }) => subject))]).toEqual(subjects);
  const atAws = (subject: string): number =>
    report.results.find((one) => one.subject === subject && /at AWS/.test(one.metric))?.median ?? 0;
  // 600 + 60 s to restore, 30 s for the password, 180 s to remove; 600 s to copy, 300 + 60 s to restore, 180 s to remove.
  expect(atAws('script of pitr-restore')).toBeGreaterThan(870_000);
  expect(atAws('script of dr-snapshot-copy')).toBeGreaterThan(1_140_000);
  expect(Object.values(report.ratios).every((value) => value > 0.9)).toBe(true);
  expect(reportText(report, targets)).toContain('seconds above the script’s and 5 %, at AWS’s durations');
}, 300_000);
