import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenRow, Tokens } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { eventText } from './event-text.ts';

const tokenColumns = 'v.id, v.person, v.note, v."createdAt", v."expiresAt", v."revokedAt"';

export function createTokens(db: Db): Tokens {
  return {
    create: async ({ person, note, expiresInMs, actor }) => {
      const id = randomBytes(6).toString('hex');
      const token = `sh_${id}_${randomBytes(32).toString('base64url')}`;
      const made = { id, person, note, expiresInMs, hash: hashOf(token).toString('hex') };
      const text = eventText(actor, { id, person, note: note ?? null, expiresInMs: expiresInMs ?? null });
      const { row } = await db.one<{ row: TokenRow }>('SELECT steadyhand.create_token($1, $2) AS row', [asJson(made), text]);
      return { token, row };
    },
    check: async (token) => {
      const id = /^sh_([0-9a-z]+)_[\w-]+$/.exec(token)?.[1];
      if (id === undefined) return null;
      const [found] = await db.query<TokenRow & { hash: string }>(
        `SELECT ${tokenColumns}, t.hash FROM steadyhand.tokens t JOIN steadyhand.token_rows v ON v.id = t.id
         WHERE t.id = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())`,
        [id],
      );
      if (found === undefined) return null;
      const { hash, ...row } = found;
      return timingSafeEqual(Buffer.from(hash, 'hex'), hashOf(token)) ? row : null;
    },
    list: () =>
      db.query<TokenRow>(
        `SELECT ${tokenColumns} FROM steadyhand.tokens t JOIN steadyhand.token_rows v ON v.id = t.id ORDER BY t.created_at, t.id`,
      ),
    revoke: async (id, actor) => {
      await db.query('SELECT steadyhand.revoke_token($1, $2)', [id, eventText(actor, { id })]);
    },
  };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
