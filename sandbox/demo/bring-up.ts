import { Failure } from '../../domain/failure.ts';
import { findPgBouncer } from '../pgbouncer.ts';
import { sandboxConfiguration } from '../configuration.ts';
import { up, type Sandbox, type UpOptions } from '../sandbox.ts';

export interface BringUp {
  readonly pooler?: 'pgbouncer' | 'none';
  readonly keep?: boolean;
  readonly size?: number;
}

/**
 * A sandbox for the time of `show`; taken down whatever happens, also on Ctrl-C (then it throws `cancelled`), unless it is to be
 * kept and all went well. A second Ctrl-C changes nothing: what is started must be ended. Demos at once, or beside a kept sandbox,
 * have a folder each.
 */
export async function bringUp(
  options: BringUp,
  say: (text: string) => void,
  show: (sandbox: Sandbox) => Promise<void>,
  beside?: UpOptions['beside'],
): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (!stop.signal.aborted) say('Stopping: the sandbox is taken down …\n');
    stop.abort();
  };
  // For good, not once: without a listener the next signal would end this process, and leave the servers behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const pooler = options.pooler ?? (findPgBouncer(sandboxConfiguration().path) === undefined ? 'none' : 'pgbouncer');
  if (options.pooler === undefined && pooler === 'none') say('PgBouncer is not installed: traffic moves over the fence (--pooler none).\n');
  const sandbox = await upWhereFree({
    pooler,
    log: (line) => say(`${line}\n`),
    signal: stop.signal,
    ...(beside ? { beside } : {}),
    ...(options.keep ? { detached: true } : {}),
    ...(options.size === undefined ? {} : { size: options.size }),
  });
  let kept = false;
  try {
    await Promise.race([show(sandbox), aborted(stop.signal)]);
    kept = options.keep ?? false;
  } finally {
    if (!kept) await sandbox.down();
  }
}

const mostAtOnce = 9;

/** In the usual folder, or in the first one beside it that no other sandbox has. */
async function upWhereFree(options: UpOptions): Promise<Sandbox> {
  const usual = sandboxConfiguration().state;
  for (let number = 1; ; number += 1) {
    const directory = number === 1 ? usual : `${usual}-${number}`;
    try {
      return await up({ ...options, directory });
    } catch (error) {
      const taken = error instanceof Failure && error.code === 'conflict' && 'holder' in error.facts;
      if (!taken || number === mostAtOnce) throw error;
      options.log(`${error.message}, so this demo has a folder of its own`);
    }
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    const stopped = (): void => reject(new Failure('cancelled', 'the demo was stopped, and the sandbox is taken down'));
    if (signal.aborted) stopped();
    else signal.addEventListener('abort', stopped, { once: true });
  });
}
