import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type as osName } from 'node:os';
import { rounded, type Machine } from './report.ts';

/** The machine as a report tells it. `loadBefore` is what `loadNow` said at the start. */
export function machine(versions: { readonly temporal: string; readonly postgres: string }, loadBefore: number): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${osName()} ${release().split('-')[0]}`,
    node: process.version,
    ...versions,
    load: [loadBefore, loadNow()],
  };
}

export function loadNow(): number {
  return rounded(loadavg()[0] ?? 0);
}

/** `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)` → `1.5.1 (Server 1.29.1)`. */
export function temporalVersion(program: string): string {
  const said = execFileSync(program, ['--version'], { encoding: 'utf8' });
  const [, cli = 'unknown', server = 'unknown'] = /version (\S+) \(Server ([^,)]+)/.exec(said) ?? [];
  return `${cli} (server ${server})`;
}
