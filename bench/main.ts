// `npm run bench -- <bench> [--json] [--save] [--rounds n] [--waiting n]`: runs a bench, prints its table (or with --json the
// report as one line, the last one of the output) and with --save keeps the report under bench/results/.
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { benchApi } from './api/api.ts';
import { benchControl } from './control/control.ts';
import { benchEngine } from './engine/engine.ts';
import type { Bench } from './frame/bench.ts';
import { reportText } from './frame/table.ts';
import { benchRestore } from './restore/restore.ts';

/** With the rounds that it takes to tell something. */
const benches: Readonly<Record<string, { readonly bench: Bench; readonly rounds: number; readonly warmUp: number }>> = {
  api: { bench: benchApi, rounds: 50, warmUp: 5 },
  control: { bench: benchControl, rounds: 15, warmUp: 0 },
  engine: { bench: benchEngine, rounds: 25, warmUp: 2 },
  restore: { bench: benchRestore, rounds: 5, warmUp: 1 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    waiting: { type: 'string', default: '200' },
  },
});

const name = positionals[0] ?? '';
const known = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (!known) {
  console.error(`npm run bench -- <bench>, one of: ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
const log = (line: string): void => console.error(line);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
const { signal } = stopping;
const rounds = Number(values.rounds ?? known.rounds);
const { report, targets } = await known.bench({ signal, rounds, warmUp: known.warmUp, waiting: Number(values.waiting), log });
if (values.save) {
  const file = new URL(`results/${name}.json`, import.meta.url);
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
}
console.log(values.json ? JSON.stringify(report) : reportText(report, targets));
