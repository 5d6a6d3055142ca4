import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { everyScope } from '../domain/token.ts';
import type { TokenRow, Tokens } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { eventText, tellingJson } from './event-text.ts';

const tokenColumns =
  'v.id, v.person, v.kind, v.scopes, v.note, v."createdAt", v."expiresAt", v."revokedAt", v."lastUsedAt", v."oldSecretUntil"';

interface Found {
  readonly row: TokenRow;
  /** Of all its valid secrets. */
  readonly hashes: readonly string[];
  readonly stale: boolean;
}

export function createTokens(db: Db): Tokens {
  return {
    create: async ({ person, kind = 'person', scopes = everyScope, note, expiresInMs, actor }) => {
      const id = randomBytes(6).toString('hex');
      const token = newToken(id);
      const text = eventText(actor, { id, person, kind, scopes, note: note ?? null, expiresInMs: expiresInMs ?? null });
      const made = tellingJson({ id, person, kind, scopes, note, expiresInMs, hash: hashOf(token).toString('hex') });
      const { row } = await db.one<{ row: TokenRow }>('SELECT steadyhand.create_token($1, $2) AS row', [made, text]);
      return { token, row };
    },
    check: async (token) => {
      const id = /^sh_([0-9a-z]+)_[\w-]+$/.exec(token)?.[1];
      const found = id === undefined ? null : await find(db, id);
      if (found === null) return null;
      const { hashes, stale, row } = found;
      const given = hashOf(token);
      if (!hashes.some((hash) => timingSafeEqual(Buffer.from(hash, 'hex'), given))) return null;
      if (stale) await noteUse(db, row.id);
      return row;
    },
    list: (person) =>
      db.query<TokenRow>(
        `SELECT ${tokenColumns} FROM steadyhand.tokens t JOIN steadyhand.token_rows v ON v.id = t.id
         WHERE $1::text IS NULL OR t.person = $1 ORDER BY t.created_at, t.id`,
        [person ?? null],
      ),
    rotate: async (id, { overlapMs, expiresInMs, actor }) => {
      const token = newToken(id);
      const text = eventText(actor, { id, overlapMs, expiresInMs: expiresInMs ?? null });
      const changed = asJson({ hash: hashOf(token).toString('hex'), overlapMs, expiresInMs });
      const { row } = await db.one<{ row: TokenRow }>('SELECT steadyhand.rotate_token($1, $2, $3) AS row', [id, changed, text]);
      return { token, row };
    },
    revoke: async (id, actor) => {
      await db.query('SELECT steadyhand.revoke_token($1, $2)', [id, eventText(actor, { id })]);
    },
  };
}

async function find(db: Db, id: string): Promise<Found | null> {
  return (await db.one<{ found: Found | null }>('SELECT steadyhand.valid_token($1) AS found', [id])).found;
}

/** Several at once write it once. */
async function noteUse(db: Db, id: string): Promise<void> {
  await db.query(
    `UPDATE steadyhand.tokens SET last_used_at = now()
     WHERE id = $1 AND coalesce(last_used_at < now() - interval '1 minute', true)`,
    [id],
  );
}

function newToken(id: string): string {
  return `sh_${id}_${randomBytes(32).toString('base64url')}`;
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
