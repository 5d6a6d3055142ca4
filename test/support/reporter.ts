import type { Reporter, SerializedError, TestModule, TestRunEndReason } from 'vitest/node';

/** What a whole test run comes to. A skipped test counts as failed where skipping is not allowed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The tests of a run, counted; a file or hook that broke, and an error outside tests, counts as one failed. */
function tallyOf(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[], reason: TestRunEndReason): Tally {
  const tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) {
    let brokenTests = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') tally.passed += 1;
      else if (state === 'skipped') tally.skipped += 1;
      else brokenTests += 1;
    }
    tally.failed += brokenTests === 0 && !module.ok() ? 1 : brokenTests;
  }
  return reason === 'passed' || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

/** Counts a run for the one who started it. */
export class Counter implements Reporter {
  tally: Tally | undefined;

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[], reason: TestRunEndReason): void {
    this.tally = tallyOf(modules, unhandledErrors, reason);
  }
}
