/** What a provider can do natively. A runbook that needs another one is refused when its plan is made. */
export type Capability = 'describe';

/** A database as it is now, whoever runs it. */
export interface Description {
  /** `pg_control_system().system_identifier`: the same on a primary and its standbys, never on two clusters. As text, since it has 64 bits. */
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  /** `server_version_num`, 160014 for 16.14. */
  readonly version: number;
  readonly inRecovery: boolean;
  readonly topology: Topology;
}

export interface Topology {
  readonly role: 'primary' | 'standby';
  readonly timeline: number;
  /** Physical standbys that stream from it now, by application name; without logical replication. Sorted. */
  readonly standbys: readonly { readonly name: string; readonly state: string }[];
}

/**
 * One way to run PostgreSQL. A verb that a provider has no capability for is absent, not a stub.
 */
export interface Provider {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  /**
   * Looks at a database of the inventory. Changes nothing, so it repeats safely; two looks at an unchanged server are equal but
   * for the standbys' states. Raises `unreachable`, `login-refused` or `privilege-missing`; never answers with a guess.
   */
  describe(database: string): Promise<Description>;
}
