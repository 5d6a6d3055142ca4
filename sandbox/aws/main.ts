import { startAws } from './aws.ts';

// The stand-in for AWS as a process of its own, on the state in the folder of its argument: what a kept sandbox goes on with.
const directory = process.argv[2];
if (directory === undefined) throw new Error('the folder of the stand-in is missing');
const aws = await startAws({ directory, log: (line) => console.log(line) });
console.log(`The stand-in for AWS answers at ${aws.endpoint}`);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void aws.stop().then(() => process.exit(0)));
