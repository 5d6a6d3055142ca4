import { join } from 'node:path';
import type { Instance } from '../rds/model.ts';

/** Where the stand-in keeps what, below its directory. */
export interface Folders {
  readonly state: string;
  readonly calls: string;
  readonly pids: string;
  readonly logs: string;
  instance(resourceId: string): string;
  cluster(instance: Instance, side: 'a' | 'b'): string;
  /** The archived WAL of an instance, which may outlive it. */
  archive(resourceId: string): string;
  snapshot(key: string): string;
  /** The server's certificate with its key. It is outside the cluster's own files, so no backup has it. */
  certificate(instance: Instance): string;
  /** Who may connect, and how. */
  access(instance: Instance): string;
  /** The root certificate of an authority, which clients trust. */
  root(region: string, authority: string): string;
  /** The root certificates of all authorities. */
  readonly bundle: string;
  pidFile(name: string): string;
  logFile(name: string): string;
}

export function foldersOf(directory: string): Folders {
  const instance = (resourceId: string): string => join(directory, 'instances', resourceId);
  return {
    state: join(directory, 'state.json'),
    calls: join(directory, 'calls.jsonl'),
    pids: join(directory, 'pids'),
    logs: join(directory, 'logs'),
    instance,
    cluster: ({ resourceId }, side) => join(instance(resourceId), side),
    archive: (resourceId) => join(directory, 'archive', resourceId),
    snapshot: (key) => join(directory, 'snapshots', key),
    certificate: ({ resourceId }) => join(instance(resourceId), 'server.pem'),
    access: ({ resourceId }) => join(instance(resourceId), 'pg_hba.conf'),
    root: (region, authority) => join(directory, 'certificates', region, `${authority}.pem`),
    bundle: join(directory, 'certificates', 'global-bundle.pem'),
    pidFile: (name) => join(directory, 'pids', `${name}.json`),
    logFile: (name) => join(directory, 'logs', `${name}.log`),
  };
}
