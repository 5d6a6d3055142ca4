import { setTimeout as wait } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Sandbox, UpOptions } from '../sandbox/sandbox.ts';
import type { SandboxStatus } from '../sandbox/state.ts';

interface UpFlags {
  readonly pooler?: UpOptions['pooler'];
  readonly size: number;
  readonly detach?: boolean;
}

/** `steadyhand sandbox up|status|fresh-target|down`: a complete Steadyhand on this machine. */
export function sandboxCommand(): Command {
  return new Command('sandbox')
    .description('A complete Steadyhand on this machine to rehearse with (host command)')
    .addCommand(upCommand())
    .addCommand(statusCommand())
    .addCommand(freshTargetCommand())
    .addCommand(downCommand());
}

function upCommand(): Command {
  return new Command('up')
    .description('Start it; stays until Ctrl-C, which takes all of it down (host command)')
    .addOption(new Option('--pooler <kind>', 'default: pgbouncer where it is installed').choices(['pgbouncer', 'none']))
    .option('--size <rows>', 'rows of the demo application, in all its tables', rows, 200_000)
    .option('--detach', 'return when it runs; `sandbox down` takes it down')
    .action(async (flags: UpFlags) => {
      const { status, up } = await import('../sandbox/sandbox.ts');
      const found = status();
      if (found.kind === 'running' || found.kind === 'starting') return show(found);
      await bringUp(flags, up);
    });
}

function statusCommand(): Command {
  return new Command('status').description('What runs and where; exit code 1 when it is not complete (host command)').action(async () => {
    const { status } = await import('../sandbox/sandbox.ts');
    show(status());
  });
}

function freshTargetCommand(): Command {
  return new Command('fresh-target')
    .description('After a migration: the inventory names the server that serves now, and a fresh one to move to (host command)')
    .action(async () => {
      const { freshTarget } = await import('../sandbox/fresh-target.ts');
      const { sandboxConfiguration } = await import('../sandbox/configuration.ts');
      const target = await freshTarget({ directory: sandboxConfiguration().state, log: say });
      say(`  steadyhand start ${moveArguments(target)} --watch`);
    });
}

/** What follows `plan` and `start` to move the sandbox's database. */
export function moveArguments(target: string): string {
  return `migration-cutover orders -i target=${target} -i schema=already-there`;
}

function downCommand(): Command {
  return new Command('down').description('End it and remove its data; the logs stay (host command)').action(async () => {
    const { down } = await import('../sandbox/sandbox.ts');
    const found = await down();
    const ended = found.parts.filter((part) => part.alive).map((part) => part.name);
    if (found.kind === 'absent') say(`No sandbox is there (${found.directory}).`);
    else say(ended.length === 0 ? 'Nothing ran any more; what was left is removed.' : `Ended: ${ended.join(', ')}.`);
  });
}

async function bringUp(flags: UpFlags, up: (options: UpOptions) => Promise<Sandbox>): Promise<void> {
  const { findPgBouncer } = await import('../sandbox/pgbouncer.ts');
  const { sandboxConfiguration } = await import('../sandbox/configuration.ts');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const pooler = flags.pooler ?? (findPgBouncer(sandboxConfiguration().path) ? 'pgbouncer' : 'none');
  const detached = flags.detach ?? false;
  const sandbox = await up({ pooler, size: flags.size, detached, log: say, signal: stop.signal });
  tell(sandbox, detached);
  if (detached) return;
  await watch(sandbox, stop.signal);
  say('Taking the sandbox down');
  await sandbox.down();
}

function tell(sandbox: Sandbox, detached: boolean): void {
  say('');
  say(`  . ${sandbox.directory}/environment        # what the commands need to know`);
  say(`  export STEADYHAND_TOKEN_FILE=${sandbox.tokens['ada']}`);
  say(`  steadyhand start ${moveArguments('orders-18')} --watch`);
  say('  steadyhand sandbox fresh-target        # after that, to move once more');
  say(`  Temporal’s page: ${sandbox.temporal.ui}    logs: ${sandbox.logs}`);
  say(detached ? '  `steadyhand sandbox down` takes it down.' : '  Ctrl-C takes it down.');
}

/** Until it is stopped; says once when a part has ended by itself. */
async function watch(sandbox: Sandbox, stop: AbortSignal): Promise<void> {
  const { status } = await import('../sandbox/sandbox.ts');
  const told = new Set<string>();
  while (!stop.aborted) {
    for (const part of status(sandbox.directory).parts.filter((one) => !one.alive && !told.has(`${one.name} ${one.pid}`))) {
      told.add(`${part.name} ${part.pid}`);
      say(`${part.name} (pid ${part.pid}) has ended; its log: ${part.log}`);
    }
    await wait(1_000, undefined, { signal: stop }).catch(() => undefined);
  }
}

function show(found: SandboxStatus): void {
  const { kind, directory, state, parts } = found;
  const gone = parts.filter((part) => !part.alive);
  const words = {
    absent: 'No sandbox is there',
    starting: 'A sandbox is being started',
    running: 'The sandbox runs',
    'left-over': 'A sandbox was killed here; `sandbox down` clears what is left',
  };
  const broken = kind === 'left-over' && gone.length > 0 && gone.length < parts.length;
  say(`${broken ? 'Parts of the sandbox have ended: `sandbox down`, then `sandbox up`' : words[kind]} (${directory})`);
  for (const part of parts) {
    say(`  ${part.name.padEnd(10)} ${part.alive ? `pid ${String(part.pid).padEnd(8)}` : 'ENDED       '} ${part.address ?? ''}`);
  }
  if (state && kind === 'running') say(`  since ${state.startedAt}; environment for commands: . ${directory}/environment`);
  if (kind === 'running' && gone.length > 0) say('Parts have ended: `sandbox down`, then `sandbox up`.');
  if (kind === 'absent' || kind === 'left-over' || gone.length > 0) process.exitCode = 1;
}

/** The number of rows that `--size` takes. */
export function rows(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 0 || size > 100_000_000) throw new InvalidArgumentError('a whole number of rows is needed.');
  return size;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
