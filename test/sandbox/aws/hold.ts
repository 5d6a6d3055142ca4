import { startAws } from '../../../sandbox/aws/aws.ts';

/** A process that holds a stand-in in the folder of its argument, for tests that kill it. */
const directory = process.argv[2];
if (directory === undefined) throw new Error('the folder is missing');
await startAws({ directory, factor: 300 });
process.stdout.write('started\n');
