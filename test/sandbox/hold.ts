import { up } from '../../sandbox/sandbox.ts';

/** A process that holds a sandbox without services in the folder of its argument, for tests that kill it. */
const directory = process.argv[2];
if (directory === undefined) throw new Error('the folder is missing');
await up({ pooler: 'none', size: 100, services: false, directory, log: (line) => void process.stdout.write(`${line}\n`) });
setInterval(() => undefined, 1_000);
