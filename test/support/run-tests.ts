// `npm test [files or words]`, `npm run test:runs` for the complete runs, `npm run test:harness` for every case of the harness,
// `npm run histories` to record the histories again. Runs vitest and prints `N passed, N failed` as the very last line. Ends
// with 1 when a test failed, when none ran, and, with `--ci`, when one was skipped. On SIGINT, SIGTERM or SIGHUP it first ends
// what the tests have started.
import { createVitest } from 'vitest/node';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { findPgBouncer } from '../../sandbox/pgbouncer.ts';
import { postgres15 } from './postgres-15.ts';
import { Counter, type Tally } from './reporter.ts';
import { scratchInMemory } from './scratch.ts';

const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const inCi = process.argv.includes('--ci');
/** Other sets of tests, each with a configuration of its own. */
const sets = ['harness', 'histories', 'runs'];
const set = sets.find((name) => process.argv.includes(`--${name}`));
const config = set === undefined ? {} : { config: `vitest.${set}.config.ts` };
const filters = process.argv.slice(2).filter((argument) => !['--ci', ...sets.map((name) => `--${name}`)].includes(argument));

if (findPgBouncer(sandboxConfiguration().path) === undefined)
  console.log('PgBouncer is not installed: traffic moves over the fence in all tests.');
if (postgres15 === undefined) console.log('PostgreSQL 15 is not installed: the cases with a source older than 16 are left out.');

const scratch = scratchInMemory();
if (scratch !== undefined) {
  process.env['TMPDIR'] = scratch;
  console.log(`The tests' servers keep their files in memory (${scratch}); TMPDIR=/tmp npm test has them on the disk.`);
}

const counter = new Counter();
const vitest = await createVitest('test', { ...config, run: true, watch: false, reporters: ['default', counter] });
let stopped: number | undefined;
let ended: Promise<void> | undefined;
for (const [signal, code] of Object.entries(signals)) {
  // vitest's own listener ends the process at once and leaves the servers of the global set-up behind.
  process.removeAllListeners(signal);
  process.on(signal, () => {
    if (stopped !== undefined) return;
    stopped = code;
    console.log(`${signal}: ending what the tests have started`);
    void vitest.cancelCurrentRun('keyboard-input').then(end);
  });
}

try {
  await vitest.start(filters);
} catch (error) {
  // Without any file vitest throws, and has said so; a global set-up that broke arrives here too.
  if (stopped === undefined) console.error(error instanceof Error ? error.message : error);
}
await end();

function end(): Promise<void> {
  return (ended ??= endOnce());
}

async function endOnce(): Promise<void> {
  await vitest.close();
  const { passed, failed } = counted(counter.tally ?? { passed: 0, failed: 0, skipped: 0 });
  const code = stopped ?? (failed > 0 ? 1 : 0);
  process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit(code));
}

/** What counts as failed is said before the last line. */
function counted({ passed, failed, skipped }: Tally): { passed: number; failed: number } {
  const all = inCi ? failed + skipped : failed;
  if (skipped > 0) console.log(`${skipped} skipped${inCi ? ', which counts as failed here' : ''}`);
  if (passed + all > 0) return { passed, failed: all };
  console.log('No test ran, which counts as failed.');
  return { passed, failed: 1 };
}
