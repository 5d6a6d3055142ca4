import type { Anchor } from '../domain/anchor.ts';
import type { Actor } from './actor.ts';
import type { EventKind } from './event-kinds.ts';

export interface EventRow {
  readonly seq: number;
  readonly at: string;
  readonly run: string | null;
  readonly kind: string;
  readonly actor: Actor;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventFilter {
  readonly run?: string | undefined;
  readonly kind?: string | undefined;
  /** The name of who did it. */
  readonly actor?: string | undefined;
  /** Recorded at this time or later, and before the other one: ISO 8601. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** The `seq` of the last event of the page before. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface Events {
  append(event: { run?: string; kind: EventKind; actor: Actor; data: Readonly<Record<string, unknown>> }): Promise<number>;
  /** Oldest first. The order of `seq` is the order of commits, without a gap: nothing is ever added before an event that was seen. */
  list(filter: EventFilter): Promise<EventRow[]>;
  /** The newest `seq`; 0 when nothing was recorded yet. */
  last(): Promise<number>;
  /**
   * Walks the chain from its first row; with `further`, from the last row that this process has verified within a day. With an anchor
   * that was kept elsewhere, a record whose end was cut off or rewritten is noticed too. One walk is under way at a time; who asks
   * meanwhile shares it, if it covers what they ask for.
   */
  verify(options?: { anchor?: Anchor | undefined; further?: boolean | undefined }): Promise<Verification>;
}

export interface Verification {
  /** The number of the first row that was read: 1, or the one behind what was verified before. */
  readonly from: number;
  /** Rows that fit, and the hash of the last one of them. */
  readonly rows: number;
  readonly head: string | null;
  /** To be kept elsewhere, for the next time: rows and head. null for an empty record, and for one that is bad. */
  readonly anchor: string | null;
  /** The first row that does not fit, with what is wrong. */
  readonly bad: { readonly seq: number; readonly what: string } | null;
}
