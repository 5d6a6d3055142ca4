import { describe, expect, it } from 'vitest';
import { createJournal } from '../../sandbox/load-journal.ts';

function heldClock(): { at(ms: number): void; monotonic(): number; wall(): number } {
  let now = 0;
  return {
    at: (ms) => {
      now = ms;
    },
    monotonic: () => now,
    wall: () => Date.UTC(2026, 0, 1) + now,
  };
}

describe('the load’s journal', () => {
  it('measures the longest time between two acknowledged writes of anybody', () => {
    const clock = heldClock();
    const journal = createJournal([1, 2], clock);
    for (const [client, n, at] of [
      [1, 1, 1_000],
      [2, 1, 1_010],
      [1, 2, 1_500],
      [2, 2, 1_520],
    ] as const) {
      clock.at(at);
      journal.attempted(client, n);
      journal.acknowledged(client, n, 7);
    }
    const report = journal.report();
    expect(report.longestWriteGapMs).toBe(490);
    expect(report.longestGaps[0]).toEqual({ ms: 490, from: '2026-01-01T00:00:01.010Z', to: '2026-01-01T00:00:01.500Z' });
    expect(report.longestLatencyMs).toBe(7);
    expect(report.acknowledged).toBe(4);
  });

  it('counts a gap that is still open, in the figures and in the report', () => {
    const clock = heldClock();
    const journal = createJournal([1], clock);
    journal.acknowledged(1, 1, 1);
    clock.at(3_000);
    expect(journal.stats()).toMatchObject({ sinceLastWriteMs: 3_000, longestWriteGapMs: 3_000, recentGapMs: 3_000 });
    expect(journal.report().longestWriteGapMs).toBe(3_000);
  });

  it('counts a write in doubt once however often its COMMIT fails, and as resolved when a retry settles it', () => {
    const journal = createJournal([1, 2]);
    journal.inDoubt(1);
    journal.inDoubt(1);
    journal.inDoubt(2);
    journal.resolved(1);
    journal.resolved(1);
    expect(journal.report()).toMatchObject({ inDoubt: 2, inDoubtResolved: 1, unresolved: 1 });
    expect(journal.report().clients.find((one) => one.client === 2)?.unresolved).toBe(true);
  });

  it('counts errors by code and keeps the first message of each, without a password', () => {
    const journal = createJournal([1]);
    journal.failed('57P01', 'terminating connection');
    journal.failed('57P01', 'again');
    journal.failed('ECONNREFUSED', 'postgres://orders_app:hunter2@127.0.0.1/orders');
    const report = journal.report();
    expect(report.clientErrors).toEqual({ '57P01': 2, ECONNREFUSED: 1 });
    expect(report.firstErrors['57P01']).toBe('terminating connection');
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  it('keeps the highest value of a sequence', () => {
    const journal = createJournal([1]);
    journal.handedOut('public.order_numbers', 7);
    journal.handedOut('public.order_numbers', 5);
    expect(journal.report().handedOut).toEqual({ 'public.order_numbers': 7 });
  });
});
