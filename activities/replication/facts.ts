/** What is looked up about both sides of a migration before a plan is made; plain JSON, stored under its digest. */
export interface MigrationFacts {
  readonly binding: {
    readonly source: SideFacts;
    readonly target: SideFacts;
    /** The pooler's alias and where it points, or null without a pooler. */
    readonly pooler: { readonly alias: string; readonly host: string; readonly port: number; readonly dbname: string } | null;
  };
  readonly observed: {
    readonly sourceBytes: number;
    readonly sourceRows: number;
    readonly targetRows: number;
    readonly lagBytes: number | null;
    readonly tables: readonly { readonly schema: string; readonly name: string; readonly bytes: number; readonly rows: number }[];
    readonly longestTransactionMs: number;
    /** What holds rows on the source and stays there. */
    readonly notCarried: readonly NotCarried[];
  };
}

export interface SideFacts {
  /** `pg_control_system().system_identifier`, as text: it does not fit a JSON number. */
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  readonly dbname: string;
  readonly host: string;
  readonly port: number;
  /** `server_version_num`. */
  readonly version: number;
  readonly inRecovery: boolean;
  readonly encoding: string;
  readonly collate: string;
  /** Settings that logical replication needs, by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly extensions: readonly { readonly name: string; readonly version: string; readonly schema: string }[];
  /** User tables (relkind r, also partitions), without this run's own and without those of extensions; sorted. */
  readonly tables: readonly TableFacts[];
  readonly sequences: readonly SequenceFacts[];
  readonly materializedViews: readonly { readonly schema: string; readonly name: string }[];
  /**
   * Every other kind of object that a dump would make, sorted: views, types, functions, partition roots, triggers … As
   * `kind identity`, every name in it quoted: `view "public"."daily"`, `trigger "stamp" on "public"."orders"`.
   */
  readonly otherObjects: readonly string[];
  /** Tables of extensions with rows of the users; those that others refer to first. Of the target without those of the run's own extensions. */
  readonly configuration: readonly ConfigurationTable[];
  /** What fires on this side when replication writes there; sorted. Of the target without what the run made, and as it was before the run held it. */
  readonly applyTriggers: readonly ApplyTrigger[];
  /** Without the server's own and without `steadyhand`, where the function of the freeze is. */
  readonly schemas: readonly string[];
  /**
   * Of the source: the roles that own something, have a grant or stand in a policy. Of the target: which of these are there.
   * Without the server's own `pg_…` roles.
   */
  readonly roles: readonly { readonly name: string; readonly login: boolean; readonly superuser: boolean }[];
  /** `datconnlimit` when no fence of ours is up (the journal's value when one is). */
  readonly connectionLimit: number;
  /** Whether Steadyhand's own login is a superuser. If not, the side is closed by taking CONNECT away, and nothing freezes its DDL. */
  readonly superuser: boolean;
  /** Steadyhand's own login first; of the source also the one of the replication, when it is another one. */
  readonly logins: readonly string[];
  /** Without a superuser: who may connect by a grant of the database, when no fence of ours is up (the journal's when one is). */
  readonly connects: readonly ConnectGrant[] | null;
  /** Of the source: the logical slots that others read from it. Of the target none. */
  readonly subscribers: readonly SubscriberFacts[];
  /** Of the source: its publications but the run's. Of the target none. */
  readonly publications: readonly PublicationFacts[];
  /** Without a superuser, of the source: the digest of what its objects are, as it was published; what a freeze would keep. */
  readonly definitions: string | null;
}

/** What it takes to shut a side and to open it again. */
export type FenceSide = Pick<
  SideFacts,
  'systemIdentifier' | 'databaseOid' | 'dbname' | 'connectionLimit' | 'superuser' | 'logins' | 'connects'
>;

/** Of any runbook that shuts a database and opens another one. */
export interface FenceFacts {
  readonly binding: {
    readonly source: FenceSide;
    readonly target: FenceSide;
    readonly pooler: MigrationFacts['binding']['pooler'];
  };
}

export interface ConnectGrant {
  /** null is PUBLIC. */
  readonly role: string | null;
  /** WITH GRANT OPTION. */
  readonly grantable: boolean;
}

export interface SubscriberFacts {
  readonly slot: string;
  readonly plugin: string;
  readonly twoPhase: boolean;
}

export interface PublicationFacts {
  readonly name: string;
  /** All tables, or those of a schema: only a superuser may make such a one. */
  readonly needsSuperuser: boolean;
  /** The statement that makes it on another server. */
  readonly definition: string;
}

export interface TableFacts {
  readonly schema: string;
  readonly name: string;
  /** `d` default (primary key), `i` index, `f` full, `n` nothing: `pg_class.relreplident`. */
  readonly replicaIdentity: string;
  readonly primaryKey: readonly string[];
  /** The columns that identify a row for the comparison: primary key, else the replica-identity index; empty with neither. */
  readonly key: readonly string[];
  /** Columns that are not generated, in attnum order; types as `format_type` gives them, names in them quoted. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly persistence: 'permanent' | 'unlogged';
  readonly rowSecurity: 'off' | 'on' | 'forced';
  /**
   * Columns, types, not-null, defaults, constraints, indexes and where it hangs as a partition, in our own terms and without the
   * names of constraints and indexes, as a hash: the same on both sides when equal, whatever the versions.
   */
  readonly shape: string;
}

/** A trigger of a replicated table, or an event trigger, that is ENABLE ALWAYS or REPLICA. */
export interface ApplyTrigger {
  /** Null: an event trigger. */
  readonly table: { readonly schema: string; readonly name: string } | null;
  readonly name: string;
  /** `A` always, `R` replica. */
  readonly mode: string;
  /** The extension that an event trigger belongs to. */
  readonly extension: string | null;
  /** A foreign key's or another constraint's own, whose mode no dump carries. */
  readonly ofConstraint: boolean;
}

export const applyTriggerKey = ({ table, name }: ApplyTrigger): string => JSON.stringify([table?.schema ?? '', table?.name ?? '', name]);

/** A table that an extension has marked by `pg_extension_config_dump`. */
export interface ConfigurationTable {
  readonly schema: string;
  readonly name: string;
  readonly extension: string;
  /** Which of its rows are the users': a WHERE clause, or empty for all. */
  readonly condition: string;
  /** Those that are not generated. */
  readonly columns: readonly string[];
}

export interface NotCarried {
  /** `schema.name`; or words, for what has none. */
  readonly name: string;
  readonly kind: 'table' | 'unlogged table' | 'sequence' | 'materialized view' | 'large object' | 'temporary';
  /** Null: unknown, or it has none. */
  readonly rows: number | null;
  readonly because: string;
}

export interface SequenceFacts {
  readonly schema: string;
  readonly name: string;
  /** The extension that brings it, or null: then it is the users'. */
  readonly extension: string | null;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
}

/** The tables that are replicated: all but unlogged ones, which no publication can carry. */
export function replicatedTables(facts: MigrationFacts): readonly TableFacts[] {
  return facts.binding.source.tables.filter((table) => table.persistence === 'permanent');
}
