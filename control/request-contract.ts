import type { Risk, RunState } from '../domain/run.ts';
import type { TokenKind } from '../domain/token.ts';

export interface Request {
  readonly id: string;
  /** The workflow id that the run has or will have. */
  readonly run: string;
  readonly runbook: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly requester: string;
  readonly channel: string;
  readonly ticket: string | null;
  readonly startedAt: string | null;
}

export interface NewRequest {
  readonly run: string;
  readonly runbook: string;
  readonly version: number;
  readonly risk: Risk;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly requester: string;
  /** Of the requester: default a person. */
  readonly kind?: TokenKind;
  readonly channel: string;
  readonly ticket?: string;
  /** Scoped to the requester; the same key with the same body finds the first request. */
  readonly idempotencyKey: string;
  /** Digest of what was asked, to tell a repeat from another request with the same key. */
  readonly bodyDigest: string;
  /** The reason of a request that breaks the glass. */
  readonly breakGlass?: string;
  /** Stands in line for the lease for so long, instead of being refused while another run holds it. */
  readonly waitMs?: number;
  /** Other databases that its input names: it stands in their line as well. */
  readonly others?: readonly string[];
}

/** A run that is not closed, for those who are about to begin another one. */
export interface OpenRun {
  readonly run: string;
  readonly state: RunState;
  /** The lease of one of the databases that were asked about. */
  readonly holds: boolean;
}

export interface Requests {
  /**
   * Writes request, run row (state `requested`), event and place in line in one transaction. With a key that the requester used before: the
   * first request when the body is the same (`created: false`), else throws `idempotency-key-reused`.
   */
  create(request: NewRequest): Promise<{ created: boolean; request: Request }>;
  /**
   * `create` for a person who asks, with the other open runs on its databases, ten at most. Throws `frozen` as well: a request with a new
   * key is rejected while one of its databases is frozen, unless it uses break-glass.
   */
  admit(request: NewRequest): Promise<{ created: boolean; request: Request; others: OpenRun[] }>;
  find(id: string): Promise<Request | null>;
  /**
   * The first request that this requester made with the key, or null. Throws `idempotency-key-reused` when it asked for something
   * else.
   */
  repeated(again: Pick<NewRequest, 'requester' | 'idempotencyKey' | 'bodyDigest'>): Promise<Request | null>;
  /** The workflow was started (or was found running): writing it twice is harmless. */
  started(id: string): Promise<void>;
  /** Requests whose workflow is not known to be started, oldest first: the API starts them again after a crash. */
  unstarted(olderThanMs: number): Promise<Request[]>;
  /** How many of these there are, and what keeps the oldest one with a recorded reason from starting; null when there are none. */
  delayed(olderThanMs: number): Promise<Delayed | null>;
}

export interface Delayed {
  readonly count: number;
  /** ISO 8601: when the oldest one was asked for. */
  readonly since: string;
  readonly because: string | null;
}
