/** Settings of an instance by the provider's names. null: left to the provider, and not compared. */
export type Settings = Readonly<Record<string, string | number | boolean | readonly string[] | null>>;

/** A setting that is not what it should be. */
export interface Difference {
  readonly setting: string;
  readonly planned: Settings[string];
  readonly found: Settings[string];
}

/** What is restored. `own-copy`: the snapshot that this run has copied into the other region. */
export type RestoreFrom =
  | { readonly kind: 'moment'; readonly at: string }
  | { readonly kind: 'snapshot'; readonly id: string }
  | { readonly kind: 'own-copy' };

/** What is copied: the newest of the provider's own snapshots, one that this run makes, or one by its name. */
export type CopyOf = 'newest' | 'new' | { readonly id: string };

export interface BackupOrder {
  readonly database: string;
  /** The run that the facts are for: what it has made is not in its way. */
  readonly run?: string;
  readonly from?: RestoreFrom;
  readonly copy?: CopyOf;
  /** Whether a snapshot of the source is to be made. */
  readonly snapshot?: boolean;
  /** The restored copy is to take the source's place; the source is kept for so many days. */
  readonly keepOldDays?: number;
}

export interface OldOrder {
  readonly database: string;
  readonly run?: string;
  /** By its name. */
  readonly instance: string;
  /** Also before the day when it is due. */
  readonly early: boolean;
}

/** What is looked up at a provider before a restore, a copy, a backup or a removal is planned; plain JSON, stored under its digest. */
export interface BackupFacts {
  readonly binding: {
    readonly provider: string;
    readonly database: string;
    readonly source: SourceFacts;
    /** What is restored, and where it stands then. */
    readonly restore: { readonly from: RestoreFrom; readonly region: string } | null;
    /** What is copied into which region. */
    readonly copy: CopyFacts | null;
    /** How the restored copy takes the source's place; absent when it does not. */
    readonly swap?: SwapFacts;
    /** Of an instance that is to be removed; absent for other runbooks. */
    readonly old?: OldFacts;
    /** Absent: the runbook removes no old copies; null: it must not. */
    readonly prune?: PruneFacts | null;
    /** The source's settings as a restored instance gets them. */
    readonly settings: Settings;
    /** What differs from them as long as it stands in quarantine. */
    readonly quarantine: Settings;
  };
  readonly observed: {
    /** Bytes of storage. */
    readonly bytes: number;
    readonly window: { readonly earliest: string; readonly latest: string } | null;
    /** When the data of the snapshot that is copied is from. */
    readonly takenAt: string | null;
    /** Of which instance the snapshot is that is restored: by its name then, and by what it is. Absent: none is, or it is gone by now. */
    readonly snapshot?: { readonly of: string; readonly resource: string; readonly takenAt: string | null };
    /** How many copies into the other region are being made now, and how many the provider allows; absent where nothing is copied. */
    readonly copiesUnderWay?: { readonly now: number; readonly atMost: number };
  };
}

export interface SwapFacts {
  /** Days until the old one, which is kept under another name, is due to be removed. */
  readonly keepOldDays: number;
  /** The source's read replicas: they go on following it under its new name. */
  readonly replicas: readonly string[];
  /** What of the source its copy has not, and no setting brings; absent when there is nothing, and before the copy is there. */
  readonly notCarried?: readonly Difference[];
}

/** An instance that a switch-over has put aside. */
export interface OldFacts {
  /** The run that has done it. */
  readonly run: string;
  /** The day when it is due to be removed, `2026-11-28`. */
  readonly removeAfter: string;
  /** Where it answers; empty and 0 when it does not. */
  readonly host: string;
  readonly port: number;
}

/** A copy of an earlier run, so that no other one is taken for it. */
/** The old copies that go, where they are, and the newest good one: without it none of them would go. */
export interface PruneFacts {
  readonly region: string;
  readonly remove: readonly OldCopy[];
  readonly newestGood: OldCopy | null;
}

export interface OldCopy {
  readonly id: string;
  readonly arn: string;
  readonly run: string;
  readonly takenAt: string;
}

export interface SourceFacts {
  /** Its name when the run began; in a run that swaps it has another one later. */
  readonly id: string;
  /** With that name in it. */
  readonly arn: string;
  /** The provider's name for this very instance, which no other ever gets. */
  readonly resource: string;
  readonly region: string;
  readonly engine: string;
  readonly version: string;
  readonly encrypted: boolean;
  /** Steadyhand logs in as the main user, whose password can be set. */
  readonly asMainUser: boolean;
}

export interface CopyFacts {
  /** By its ARN; null for the one that this run makes. */
  readonly snapshot: string | null;
  readonly region: string;
  readonly key: string | null;
  /** `name=value`, sorted: the snapshot's own, which its copy gets too. */
  readonly tags: readonly string[];
}
