import type { Scope, TokenKind } from '../domain/token.ts';
import type { Actor } from './actor.ts';

export interface TokenRow {
  readonly id: string;
  /** Whose it is, as the inventory calls them; of a service too. */
  readonly person: string;
  readonly kind: TokenKind;
  readonly scopes: readonly Scope[];
  readonly note: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  /** At most a minute behind. */
  readonly lastUsedAt: string | null;
  /** Until when a secret that was replaced is valid; null when none is. */
  readonly oldSecretUntil: string | null;
}

export interface NewToken {
  readonly person: string;
  /** Default `person`. */
  readonly kind?: TokenKind;
  /** Default all. */
  readonly scopes?: readonly Scope[];
  readonly note?: string;
  readonly expiresInMs?: number;
  readonly actor: Actor;
}

interface Rotation {
  /** For so long every earlier secret stays valid, at most. */
  readonly overlapMs: number;
  /** A new expiry; without it the old one stays. */
  readonly expiresInMs?: number;
  readonly actor: Actor;
}

export interface Tokens {
  /** `sh_<id>_<secret>`, shown once; its SHA-256 is stored. */
  create(token: NewToken): Promise<{ token: string; row: TokenRow }>;
  /** What is behind it, or null when it is unknown, expired or revoked. Its use is noted, at most once a minute. */
  check(token: string): Promise<TokenRow | null>;
  /** Oldest first; of everybody, or of one. */
  list(person?: string): Promise<TokenRow[]>;
  /**
   * A new secret for the same token, shown once. Each call makes another one; asked again after a lost answer, the secret that is
   * in use goes on for the overlap. Throws `not-found`, and `conflict` for one that was revoked or has expired.
   */
  rotate(id: string, rotation: Rotation): Promise<{ token: string; row: TokenRow }>;
  /** All its secrets end with it. Twice is harmless. Throws `not-found`. */
  revoke(id: string, actor: Actor): Promise<void>;
}
