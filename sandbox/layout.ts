import { join } from 'node:path';

/** Where everything of one sandbox lies. The folder itself is open to the postgres user; what is secret has a folder of its own. */
export interface Layout {
  readonly directory: string;
  /** Written when the start-up begins: its process; whoever holds it has the sandbox. */
  readonly holder: string;
  readonly state: string;
  readonly pids: string;
  readonly logs: string;
  readonly secrets: string;
  readonly tokens: string;
  readonly inventory: string;
  /** Shell lines that set the environment of `steadyhand` commands. */
  readonly environment: string;
  readonly passfile: string;
  pidFile(name: string): string;
  logFile(name: string): string;
  secretFile(name: string): string;
  tokenFile(person: string): string;
  /** The folder of a part that keeps data. */
  part(name: string): string;
}

export const partFolders = ['temporal', 'source', 'target', 'control', 'pgbouncer', 'servers', 'aws'] as const;

export function layoutOf(directory: string): Layout {
  const at = (name: string): string => join(directory, name);
  return {
    directory,
    holder: at('holder.json'),
    state: at('state.json'),
    pids: at('pids'),
    logs: at('logs'),
    secrets: at('secrets'),
    tokens: at('tokens'),
    inventory: at('steadyhand.yaml'),
    environment: at('environment'),
    passfile: at('replication.pgpass'),
    pidFile: (name) => join(directory, 'pids', `${name}.json`),
    logFile: (name) => join(directory, 'logs', `${name}.log`),
    secretFile: (name) => join(directory, 'secrets', name),
    tokenFile: (person) => join(directory, 'tokens', person),
    part: at,
  };
}
