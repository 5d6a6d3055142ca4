import type { VerificationRules } from '../../domain/verification.ts';

/** The stored facts of a runbook that verifies a restored copy. */
export interface FactsOfVerification {
  readonly binding: {
    readonly verification: {
      readonly rules: VerificationRules;
      /** ISO 8601 with a zone: no row may be newer. null: the newest that there is was asked for. */
      readonly target: string | null;
    };
  };
}

/** The stored facts of a runbook that copies tables back; it may have others beside. */
export interface FactsOfCopy {
  /** null: nothing is copied back, or the restored copy isn't there yet. */
  readonly binding: { readonly copyBack: CopyFacts | null };
}

/** What stands in the binding facts of a runbook that copies tables back. */
export interface CopyFacts {
  readonly live: { readonly systemIdentifier: string; readonly databaseOid: number; readonly version: number };
  readonly restored: { readonly systemIdentifier: string; readonly databaseOid: number; readonly version: number };
  /** Whether this role may keep triggers from firing for its own session alone (`session_replication_role`). */
  readonly replicaRole: boolean;
  /** What the tables need and the database in use lacks, in the order in which it can be made. */
  readonly schemas: readonly MissingSchema[];
  readonly types: readonly MissingType[];
  /** Roots before partitions, and tables before those that refer to them. */
  readonly tables: readonly CopyTable[];
  /** Of tables in use, and of those in use that a chosen table is a partition of or inherits from. */
  readonly sequences: readonly SequenceBehind[];
  /** Foreign keys of tables in use that went with a missing table. */
  readonly inbound: readonly (ForeignKey & { readonly partitioned: boolean })[];
  /** What went with missing tables and isn't made again: views, functions, policies of other tables and the like. */
  readonly notMade: readonly string[];
  /** How the conditions are read; absent when there are none. */
  readonly reading?: Reading;
}

/** Settings of the restored database by which people's conditions are read. */
export interface Reading {
  readonly searchPath: string;
  readonly timeZone: string;
  readonly dateStyle: string;
}

export interface MissingSchema {
  readonly name: string;
  readonly owner: string;
  readonly grants: readonly Grant[];
}

export interface MissingType {
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** The values of an enum, or null for a domain. */
  readonly values: readonly string[] | null;
  /** Of a domain: what stands after AS. */
  readonly base: string | null;
  readonly checks: readonly { readonly name: string; readonly definition: string }[];
}

export interface Grant {
  /** null: PUBLIC. */
  readonly to: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
  readonly column: string | null;
}

export type CopyTable = MissingTable | TableInUse;

interface Table {
  readonly schema: string;
  readonly name: string;
  /** null: all rows. */
  readonly where: string | null;
  readonly columns: readonly Column[];
  /** The partitioned tables that it is a partition of. */
  readonly within: readonly { readonly schema: string; readonly name: string }[];
}

/** The database in use has none of this name: it comes back as it was. */
export interface MissingTable extends Table {
  readonly live: 'missing';
  readonly definition: Definition;
}

/** The database in use has it: rows that it lacks come back. */
export interface TableInUse extends Table {
  readonly live: 'there';
  /** By now: its rows are in its partitions. */
  readonly partitioned: boolean;
  /** Of a partition: the chosen table that it came with, qualified. */
  readonly root?: string;
  readonly key: readonly KeyColumn[];
  readonly references: readonly Reference[];
  /** Foreign keys of other tables, and its own, that refer to it. */
  readonly referencedBy: readonly Reference[];
  /** Its triggers that would fire, and when (`O`, `A`). */
  readonly triggers: readonly { readonly name: string; readonly enabled: string }[];
  /** Columns of the restored table that are not there any more: their values don't come back. */
  readonly dropped: readonly string[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly collation: string | null;
  readonly expression: string | null;
  /** '' for none; `a` always, `d` by default. */
  readonly identity: string;
  /** '' for none; `s` stored, `v` virtual. */
  readonly generated: string;
  readonly comment: string | null;
}

/** A column of a key and the operator that compares it, in the form `OPERATOR(schema.=)`. */
export interface KeyColumn {
  readonly name: string;
  readonly equals: string;
}

/** A foreign key, compared as `parent.to[i] equals[i] child.columns[i]`. */
export interface Reference {
  readonly name: string;
  readonly columns: readonly string[];
  /** The other table: the parent in `references`, the child in `referencedBy`. */
  readonly schema: string;
  readonly table: string;
  readonly to: readonly string[];
  readonly equals: readonly string[];
}

/** A sequence in use, and how far the restored one had come. */
export interface SequenceBehind {
  readonly schema: string;
  readonly name: string;
  readonly value: string;
  readonly increment: string;
  readonly cache: string;
}

export interface ForeignKey {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

export interface Definition {
  readonly kind: 'table' | 'partitioned';
  readonly owner: string;
  readonly unlogged: boolean;
  readonly options: readonly string[] | null;
  readonly partitionKey: string | null;
  /** A partition's parent and bound, or the parents of inheritance without one. */
  readonly parents: readonly { readonly schema: string; readonly name: string }[];
  readonly bound: string | null;
  readonly constraints: readonly Named[];
  readonly indexes: readonly (Named & { readonly unique: boolean })[];
  readonly foreignKeys: readonly Named[];
  readonly triggers: readonly (Named & { readonly enabled: string })[];
  readonly rules: readonly Named[];
  readonly statistics: readonly Named[];
  readonly policies: readonly Policy[];
  readonly sequences: readonly OwnedSequence[];
  readonly grants: readonly Grant[];
  readonly comment: string | null;
  readonly rowSecurity: 'off' | 'on' | 'forced';
  /** d, n, f, or i with the name of its index. */
  readonly replicaIdentity: string;
  readonly identityIndex: string | null;
}

export interface Named {
  readonly name: string;
  readonly definition: string;
  readonly comment: string | null;
}

export interface Policy {
  readonly name: string;
  readonly command: string;
  readonly permissive: boolean;
  /** Empty: PUBLIC. */
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

export interface OwnedSequence {
  readonly name: string;
  readonly column: string;
  readonly identity: boolean;
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycle: boolean;
  readonly value: string;
  readonly called: boolean;
  /** Absent in facts that an earlier version has taken. */
  readonly grants?: readonly Grant[];
}
