import type { Actor } from './actor.ts';

export interface TokenRow {
  readonly id: string;
  readonly person: string;
  readonly note: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

export interface Tokens {
  /** `sh_<id>_<secret>`, shown once; its SHA-256 is stored. */
  create(token: { person: string; note?: string; expiresInMs?: number; actor: Actor }): Promise<{ token: string; row: TokenRow }>;
  /** The person behind it, or null when it is unknown, expired or revoked. */
  check(token: string): Promise<TokenRow | null>;
  list(): Promise<TokenRow[]>;
  revoke(id: string, actor: Actor): Promise<void>;
}
