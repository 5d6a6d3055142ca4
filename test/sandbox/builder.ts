import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from '../../sandbox/build-once.ts';
import { runProgram } from '../../sandbox/run-program.ts';

/** A process that builds the folder of its argument by a program that never ends, for tests that kill it. */
const finished = process.argv[2];
if (finished === undefined) throw new Error('the folder is missing');
await buildOnce({
  what: 'the thing',
  finished,
  isThere: () => false,
  build: async ({ folder, pids }) => {
    await writeFile(join(folder, 'half'), '');
    const pidFile = join(pids, 'sleep.json');
    await runProgram({ command: '/bin/sleep', args: ['600'], environment: {}, timeoutMs: 600_000, pidFile });
  },
});
