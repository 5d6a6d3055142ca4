import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../control/migrate.ts';
import { startCluster, type Cluster } from '../../sandbox/postgres.ts';

export const application = 'steadyhand_app';
export const owner = 'steadyhand_owner';
/** A migrated control database, to make others of. */
export const templateControl = 'template_control';

export interface ControlServer {
  readonly cluster: Cluster;
  /** As one of the roles, or as the superuser. */
  url(database: string, role?: string): string;
  stop(): Promise<void>;
}

/** A server for control databases with the product's roles and a migrated template. Rows need not survive a power cut here. */
export async function startControlServer(): Promise<ControlServer> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-control-'));
  await chmod(directory, 0o755);
  const remove = async (): Promise<void> => await rm(directory, { recursive: true, force: true });
  let cluster: Cluster | undefined;
  try {
    const settings = { fsync: 'off', max_connections: 60, shared_buffers: '32MB' };
    cluster = await startCluster({ name: 'control', major: 18, directory: join(directory, 'server'), settings });
    const server = served(cluster, remove);
    await makeTemplate(server);
    return server;
  } catch (error) {
    await cluster?.stop();
    await remove();
    throw error;
  }
}

function served(cluster: Cluster, remove: () => Promise<void>): ControlServer {
  return {
    cluster,
    url: (database, role = 'postgres') => {
      const password = role === 'postgres' ? cluster.password : role;
      return `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${cluster.port}/${database}`;
    },
    stop: async () => {
      await cluster.stop();
      await remove();
    },
  };
}

async function makeTemplate({ url }: ControlServer): Promise<void> {
  const admin = new pg.Client({ connectionString: url('postgres') });
  await admin.connect();
  try {
    await admin.query(
      `CREATE ROLE ${owner} LOGIN CREATEROLE PASSWORD '${owner}'; CREATE ROLE ${application} LOGIN PASSWORD '${application}'`,
    );
    await admin.query(`CREATE DATABASE ${templateControl} OWNER ${owner}`);
  } finally {
    await admin.end();
  }
  await migrate({ connectionString: url(templateControl, owner) });
}
