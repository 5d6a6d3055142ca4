// `npm run test:chaos -- [--minutes n] [--runs n] [--workers n] [--seed n]`: as many cutovers on as many databases, while workers,
// API and Temporal are killed at random. Ends with what it found; 1 when something is not as it must be.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { up } from '../../sandbox/sandbox.ts';
import { findings } from './findings.ts';
import { killAtRandom } from './killer.ts';
import { makeMoves } from './moves.ts';
import { startParts } from './parts.ts';
import { answerEverything } from './people.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    runs: { type: 'string', default: '50' },
    workers: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const killingMs = 60_000 * Number(values.minutes);
/** Of each run: the stream and two tables that are copied. */
const room = 3 * runs + 20;
const streams = { max_replication_slots: room, max_wal_senders: room, max_connections: 6 * runs + 100 };
const began = performance.now();
const log = (line: string): void => console.log(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${line}`);

const directory = await mkdtemp(join(tmpdir(), 'steadyhand-chaos-'));
// The postgres user must pass through.
await chmod(directory, 0o755);
log(`seed ${values.seed}; ${runs} runs, ${values.workers} workers, ${values.minutes} min of killing`);
const sandbox = await up({
  pooler: 'none',
  directory: join(directory, 'sandbox'),
  size: 200,
  services: false,
  settings: {
    source: streams,
    target: { ...streams, max_worker_processes: 2 * room, max_logical_replication_workers: room, max_active_replication_origins: room },
  },
  log,
});
try {
  const parts = await startParts(sandbox, Number(values.workers));
  const moves = await makeMoves(sandbox, runs, log);
  // The last ones begin while there is still time to be hit.
  const people = answerEverything(sandbox, moves, 0.8 * killingMs, log);
  const killed = await killAtRandom(parts, { forMs: killingMs, seed: Number(values.seed), log });
  log(`killed: ${JSON.stringify(killed)}; ${people.closed()} of ${runs} runs are closed; nothing is killed from now on`);
  const ended = await people.done(10 * 60_000);
  await Promise.all(moves.map(async (move) => await move.stopWriting()));
  const found = await findings(sandbox, moves, ended);
  for (const line of found.told) log(line);
  for (const problem of found.problems) log(`WRONG  ${problem}`);
  log(found.problems.length === 0 ? 'Everything is as it must be.' : `${found.problems.length} things are wrong.`);
  process.exitCode = found.problems.length === 0 ? 0 : 1;
  await parts.stop();
} finally {
  await sandbox.down();
  if (!values.keep) await rm(directory, { recursive: true, force: true });
  else log(`kept: ${directory}`);
}
process.exit();
