import type { Actor } from './actor.ts';

/** No change begins on a database, or on any, while it holds. */
export interface FreezeRow {
  /** ULID. */
  readonly id: string;
  /** null: every database. */
  readonly database: string | null;
  readonly reason: string;
  readonly person: string;
  readonly since: string;
  readonly until: string | null;
  readonly liftedAt: string | null;
  readonly liftedBy: string | null;
  readonly liftedBecause: string | null;
  /** Neither lifted nor over. */
  readonly holds: boolean;
  /** Who, since when, until when, why: what people are told. */
  readonly text: string;
}

export interface Freezes {
  /** While the same person's freeze with the same words holds, that one is returned. */
  on(freeze: { database: string | null; reason: string; until: string | null; by: Actor }): Promise<FreezeRow>;
  /** Lifts it, with an event; one that is lifted or over stays as it is. Throws `not-found`. */
  off(id: string, by: Actor, reason: string): Promise<FreezeRow>;
  /** Throws `not-found`. */
  find(id: string): Promise<FreezeRow>;
  /** Newest first; with `past` those that are lifted or over, too. */
  list(filter: { past: boolean }): Promise<FreezeRow[]>;
  /** The one that stops new runs of this database. */
  of(database: string): Promise<FreezeRow | null>;
  /** The one that stops this run, of whichever database it is about; the one that lasts longest. None does when it is past its point of no return, goes back, is over, or broke the glass. */
  forRun(run: string): Promise<FreezeRow | null>;
}
