// `npm run test:independent [seconds]`: schemathesis, which others wrote, reads the OpenAPI document of a sandbox's API and sends it
// what the document allows and what it does not; 75 s in all unless more are asked for. Ends with 1 when an answer was an error of
// the server or not as the document says, and when nothing was sent. Before that the verbs of the provider rds are called against moto,
// which others wrote, too. Needs Python 3.10 or newer; both programs come into the cache.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { up, type Sandbox } from '../../sandbox/sandbox.ts';
import { holdAgainstMoto } from './moto.ts';
import { passesOf } from './passes.ts';
import { installSchemathesis, runPass } from './schemathesis.ts';

const seconds = Number(process.argv[2] ?? 75);
if (!Number.isInteger(seconds) || seconds < 10) throw new Error(`"${process.argv[2] ?? ''}" is no number of seconds; 10 are the least`);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
const configuration = sandboxConfiguration();
const program = await installSchemathesis(configuration.cache);
const folder = await mkdtemp(join(tmpdir(), 'steadyhand-independent-'));
let sandbox: Sandbox | undefined;
try {
  console.log(`${await holdAgainstMoto(configuration.cache, folder)} verbs of the provider rds hold against moto`);
  sandbox = await up({
    directory: `${configuration.state}-independent`,
    // What is tried here is what the API says, not how often it is asked.
    configuration: { ...configuration, environment: { ...configuration.environment, STEADYHAND_API_RATE: '100000' } },
    pooler: 'none',
    size: 200,
    log: (line) => console.log(line),
    signal: stop.signal,
  });
  let sent = 0;
  for (const pass of await passesOf(sandbox, seconds)) {
    const result = await runPass(program, pass, folder, stop.signal);
    sent += result.sent;
    console.log(`${pass.name}: ${result.sent} requests to ${result.operations} routes, ${result.failures} failures`);
    if (result.failures > 0 || result.code !== 0) process.exitCode = 1;
    if (result.sent === 0) {
      console.log(`${pass.name}: nothing was sent, which counts as failed`);
      process.exitCode = 1;
    }
  }
  console.log(`${sent} requests in all: ${process.exitCode === 1 ? 'FAILED' : 'no error of the server, and every answer as documented'}`);
} finally {
  await sandbox?.down();
  await rm(folder, { recursive: true, force: true });
}
