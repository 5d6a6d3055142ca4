import type { Proof } from '../../control/contract.ts';
import type { DatabaseEntry } from '../../domain/inventory.ts';
import type { WorkOf } from '../work.ts';
import type { Lost } from './switch/facts.ts';

/** What every step is told that works with a restored copy of a database. */
export interface Recovery {
  /** The database of the inventory that is in use. */
  readonly database: string;
  /** Where the restored copy answers. What is not said (user, secret, TLS) is as in the inventory's entry of the database. */
  readonly restored: Partial<DatabaseEntry['server']>;
}

/** A restored copy that is asked whether it is what it should be. Rules and moment stand in the facts. */
export interface Verify extends Recovery {
  /** Digest of the facts that the plan was made from. */
  readonly facts: string;
}

/** Chosen tables of the restored copy, on their way back. The choice itself stands in the facts. */
export interface CopyBack extends Recovery {
  /** Digest of the facts that the plan was made from. */
  readonly facts: string;
}

/** A table that people want back: all of it, or the rows that fit an SQL condition. Partitions come with their root. */
export interface ChosenTable {
  readonly schema: string;
  readonly name: string;
  /** What would stand after WHERE; read on the restored copy only. */
  readonly where?: string;
}

/**
 * SQL between a restored copy and the database in use. Nothing of the database in use is ever changed or removed but what these
 * verbs added. Everything they make has the run's tag: the schema `steadyhand_<ulid>` (the tables as they will be) and
 * `steadyhand_<ulid>_journal` (what was copied and added).
 */
export interface RecoveryActivities {
  /** Reads every page of the restored copy, so that its volume has loaded them. */
  hydrate(recovery: Recovery): Promise<Hydration>;
  /** Every tier of the verification, on the restored copy. Raises `verification-failed` with what was found. */
  verify(verify: Verify): Promise<Verification>;
  /** Writes a proof into the ledger, once for each key of an attempt. Its id, and what it proves. */
  prove(prove: Prove): Promise<Proved>;
  /** The chosen tables into the side schema of the database in use, with keys and references checked. Each table all or nothing. */
  copyAside(copy: CopyBack): Promise<CopiedAside>;
  /** Removes the side schema and the journal. Undo of `copyAside`, and the tidying up when nobody needs the journal any more. */
  removeAside(copy: CopyBack): Promise<void>;
  /** From the side schema into place, in one transaction; then the foreign keys are validated. Raises `reference-missing`. */
  bringBack(copy: CopyBack): Promise<BroughtBack>;
  /** Is every chosen row there, and was nothing lost? The evidence of the whole. Raises `data-differs`. */
  compareAfter(compare: CompareAfter): Promise<RestoreEvidence>;
  /** Removes just what `bringBack` added, as long as nobody has changed it. Raises `drift` with what stays. */
  takeOut(copy: CopyBack): Promise<void>;
  /** The application's roles get the password of now on the restored copy, and log in there. Raises `login-refused`. */
  setPasswords(change: SwitchOver): Promise<PasswordsSet>;
  /** Nobody writes any more: neither to the database in use nor to the copy. Raises `switch-abandoned`, `drift`. */
  fence(change: SwitchOver): Promise<Fenced>;
  /** The database in use serves again. Raises `conflict` past the point of no return, `not-yet` while names are exchanged. */
  liftFence(change: SwitchOver): Promise<void>;
  /** The inventory's address leads to the copy, which takes writes and the application's passwords. */
  verifySwitched(change: SwitchOver): Promise<Verified>;
  /** Clients may write to the copy: the point of no return. The evidence of the whole. */
  letIn(change: SwitchOver): Promise<SwitchedOver>;
}

export interface Hydration {
  readonly relations: number;
  readonly bytes: number;
  /** Of all attempts together. */
  readonly seconds: number;
  readonly method: 'pg_prewarm' | 'scans';
  /** Relations of which not every page could be read, and the names of at most 20 of them. */
  readonly notRead: number;
  readonly notReadSome: readonly string[];
}

export interface Prove {
  readonly proof: Proof;
}

export interface Proved extends Pick<Proof, 'target' | 'recoveredTo' | 'secondsAvailable' | 'secondsHydrated' | 'verified'> {
  /** Its id in the ledger. */
  readonly proof: string;
}

export const verificationTiers = ['catalog', 'tables', 'indexes', 'assertions', 'newest-row', 'schema-version'] as const;

/** What was looked at, and how; below 16 kB. */
export interface Verification {
  readonly tiers: readonly Tier[];
  readonly findings: readonly VerificationFinding[];
  /** The newest row, when it could be told: ISO 8601. */
  readonly newestRowAt: string | null;
  readonly seconds: number;
}

export interface Tier {
  readonly tier: (typeof verificationTiers)[number];
  readonly state: 'passed' | 'failed' | 'not-made';
  /** How many things were looked at. */
  readonly checked: number;
  readonly seconds: number;
  /** Why it could not be made, or what was left out. */
  readonly because?: string;
}

export interface VerificationFinding {
  readonly tier: Tier['tier'];
  readonly level: 'fails' | 'warns';
  readonly what: string;
}

export interface CopiedAside {
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
  /** Rows whose key the table in use has; they will not be touched. */
  readonly alreadyThere: number;
  /** Foreign keys whose rows would refer to nothing, at most 20: such a table can't be brought back as it is. */
  readonly orphans: readonly { readonly table: string; readonly key: string; readonly rows: number }[];
}

export interface BroughtBack {
  /** Tables that were missing and are there again. */
  readonly tablesBack: number;
  readonly rowsBack: number;
  /**
   * Rows that were left out: the table in use has the same one; one of the same key that differs; another one with a unique value of
   * it; or the row of a chosen table that they refer to was left out for one of the last two, or for this reason.
   */
  readonly leftOut: { readonly same: number; readonly differing: number; readonly taken: number; readonly following: number };
  /** Keys of rows that were left out and differ, at most 20, as `table (key)`. */
  readonly differing: readonly string[];
  /** Keys of rows that were left out with what they refer to, at most 20, as `table (key)`. */
  readonly following: readonly string[];
  /** Foreign keys that hold for new rows only, since rows that were there before break them. At most 20. */
  readonly notValidated: readonly string[];
}

/** What the steps before have measured. */
export interface Measured {
  /** ISO 8601: the moment that was asked for, and the newest one that is there. */
  readonly target: string | null;
  readonly recoveredTo: string | null;
  /** From the first call until it answered, and until every page had been read; null: not measured, or tables only. */
  readonly secondsAvailable: number | null;
  readonly secondsHydrated: number | null;
  /** The tiers and how they ended. */
  readonly verification: Readonly<Partial<Record<Tier['tier'], Tier['state']>>>;
}

export interface CompareAfter extends CopyBack {
  readonly measured: Measured;
}

/** What a restore and the copy back have proved. */
export interface RestoreEvidence extends Measured {
  readonly rowsBack: number;
  /** Rows of the database in use that the copy changed or removed, as the server counted; null when it counts nothing. */
  readonly lostAfterTarget: number | null;
}

/** A restored copy that takes the place of the database in use, and what is known of that so far. */
export interface SwitchOver extends CompareAfter {
  readonly switched: {
    readonly fenced?: Fenced;
    /** The provider's name for the very instance that is the copy. */
    readonly resource?: string;
    /** What the old one is called now, and the day from which on it may be removed. */
    readonly keptAs?: string;
    readonly removeAfter?: string;
  };
}

export interface PasswordsSet {
  /** Roles that had another one at the moment that was restored. */
  readonly set: readonly string[];
  /** All that have logged in. */
  readonly letIn: readonly string[];
}

export interface Fenced {
  /** ISO 8601, by the worker's clock: since then writes stand still. */
  readonly heldAt: string;
  /** What is on the old one alone. */
  readonly lost: Lost;
}

export interface Verified {
  /** The provider's name for the very instance that answers. */
  readonly answers: string;
  /** Roles whose password was taken. */
  readonly logins: readonly string[];
}

/** What a switch-over has proved. */
export interface SwitchedOver extends Measured {
  /** What was written after the moment and is on the old one alone: rows as the inventory tells them, else commits; null: nobody can tell. */
  readonly lostAfterTarget: number | null;
  readonly lost: Lost | null;
  readonly switchedTo: string | null;
  readonly keptAs: string | null;
  /** The day from which on the runbook `removeWith` may remove it. */
  readonly removeAfter: string | null;
  readonly removeWith: string;
  readonly secondsWithoutWrites: number;
  /** On the copy: what they brought since the moment is not there, so they are to be set up anew. Absent: there is none. */
  readonly disabledSubscriptions?: readonly string[];
}

export const recoveryWork: WorkOf<RecoveryActivities> = {
  hydrate: 'long',
  verify: 'long',
  prove: 'look',
  copyAside: 'long',
  removeAside: 'change',
  bringBack: 'long',
  compareAfter: 'long',
  takeOut: 'long',
  setPasswords: 'change',
  fence: 'switch',
  // It waits for names that may take minutes to be known.
  liftFence: 'held',
  verifySwitched: 'held',
  letIn: 'switch',
};
