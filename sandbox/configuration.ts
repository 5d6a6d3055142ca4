import { homedir } from 'node:os';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the sandbox takes from the environment of the command that starts it. */
export interface SandboxConfiguration {
  /** Programs that are copied, downloaded or built once; kept between sandboxes. */
  readonly cache: string;
  /** Everything that one sandbox writes: `STEADYHAND_SANDBOX`, to have several. */
  readonly state: string;
  /** `TEMPORAL_CLI_PATH`: the `temporal` command to use instead of looking for one. */
  readonly temporalCli: string | undefined;
  /** The folders of PATH. */
  readonly path: readonly string[];
  /** Handed on to child processes. */
  readonly environment: Environment;
}

/**
 * STEADYHAND_CACHE, STEADYHAND_SANDBOX, TEMPORAL_CLI_PATH and PATH, with defaults by user and platform. Root's folders are not
 * below its home, which the postgres user may not enter.
 */
export function sandboxConfiguration(environment: Environment = process.env): SandboxConfiguration {
  const root = process.getuid?.() === 0;
  const home = homedir();
  const userCache = process.platform === 'darwin' ? join(home, 'Library/Caches/steadyhand') : join(home, '.cache/steadyhand');
  return {
    cache: environment['STEADYHAND_CACHE'] || (root ? '/var/cache/steadyhand' : userCache),
    state: environment['STEADYHAND_SANDBOX'] || (root ? '/var/lib/steadyhand/sandbox' : join(home, '.local/state/steadyhand/sandbox')),
    temporalCli: environment['TEMPORAL_CLI_PATH'] || undefined,
    path: (environment['PATH'] ?? '').split(':').filter((folder) => folder !== ''),
    environment,
  };
}
