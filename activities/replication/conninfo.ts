import type { DatabaseEntry } from '../../domain/inventory.ts';

/** How a server logs in to another one, for libpq. Nobody but CREATE SUBSCRIPTION gets to see it: it can hold a password. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
  readonly user: string;
  readonly sslmode: string;
  /** A file with certificates, on the machine that logs in. */
  readonly sslrootcert?: string | undefined;
  /** Shown on the other server in pg_stat_activity and pg_stat_replication. */
  readonly applicationName: string;
  readonly password?: string | undefined;
  /** A libpq password file on the machine that logs in. */
  readonly passfile?: string | undefined;
}

/** The login of a migration's target on the source: the inventory's replication entry, by default the server's own login. */
export function replicationLogin(entry: DatabaseEntry, password: string | undefined, applicationName: string): Login {
  const { server, replication } = entry;
  return {
    host: replication?.host ?? server.host,
    port: replication?.port ?? server.port,
    dbname: server.dbname,
    user: replication?.user ?? server.user,
    sslmode: replication?.sslmode ?? server.sslmode,
    // Not the server's: that is a file of the worker's machine, and this is the other server's.
    sslrootcert: replication?.sslrootcert,
    applicationName,
    ...(replication?.passfile === undefined ? { password } : { passfile: replication.passfile }),
  };
}

/** libpq's connection string, every value quoted. A server that does not answer is given up after 10 s. */
export function conninfo(login: Login): string {
  const words: Record<string, string | number | undefined> = {
    host: login.host,
    port: login.port,
    dbname: login.dbname,
    user: login.user,
    password: login.password,
    passfile: login.passfile,
    sslmode: login.sslmode,
    sslrootcert: login.sslrootcert,
    application_name: login.applicationName,
    connect_timeout: 10,
  };
  return Object.entries(words)
    .filter(([, value]) => value !== undefined)
    .map(([word, value]) => `${word}=${quote(String(value))}`)
    .join(' ');
}

/** `it's` → `'it\'s'`: libpq's own quoting, not SQL's. */
function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
