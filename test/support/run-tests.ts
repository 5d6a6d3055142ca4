// `npm test [files or words]`: runs vitest and prints `N passed, N failed` as the very last line. Ends with 1 when a test failed,
// when none ran, and, in CI, when one was skipped.
import { startVitest } from 'vitest/node';
import { Counter, type Tally } from './reporter.ts';

const inCi = process.argv.includes('--ci');
const filters = process.argv.slice(2).filter((argument) => argument !== '--ci');

const counter = new Counter();
const vitest = await startVitest(filters, { run: true, watch: false, reporters: ['default', counter], passWithNoTests: false });
await vitest.close();
finish(counter.tally ?? { passed: 0, failed: 1, skipped: 0 });

function finish({ passed, failed, skipped }: Tally): void {
  const counted = inCi ? failed + skipped : failed;
  if (skipped > 0) console.log(`${skipped} skipped${inCi ? ', which counts as failed here' : ''}`);
  if (passed + counted === 0) console.log('No test ran, which counts as failed.');
  const shown = passed + counted === 0 ? 1 : counted;
  process.exitCode = shown > 0 ? 1 : 0;
  process.stdout.write(`${passed} passed, ${shown} failed\n`, () => process.exit());
}
