import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { digestOf } from '../../domain/digest.ts';
import { anna, application, controlPlace, failureOf } from './support.ts';

const place = controlPlace();
let control: Control;
let database: string;
beforeEach(async () => {
  ({ control, database } = await place.emptied());
});

describe('documents', () => {
  it('are stored once and come back as they were', async () => {
    const body = { steps: [{ text: 'SELECT \u0000 é' }], big: 1e21, small: -0.5, nothing: null };
    await control.documents.put('plan', digestOf(body), body);
    await control.documents.put('plan', digestOf(body), body);
    expect(await control.documents.get(digestOf(body))).toEqual(body);
    await failureOf('not-found', control.documents.get('nonsense'));
  });
});

describe('tokens', () => {
  it('are shown once; what is stored cannot be used', async () => {
    const { token, row } = await control.tokens.create({ person: 'ben', note: 'laptop', actor: anna });
    expect(token).toMatch(/^sh_[0-9a-z]+_[\w-]{43}$/);
    expect(row).toEqual({
      id: token.split('_')[1],
      person: 'ben',
      note: 'laptop',
      createdAt: expect.any(String),
      expiresAt: null,
      revokedAt: null,
    });
    expect(await control.tokens.check(token)).toEqual(row);
    expect(await control.tokens.list()).toEqual([row]);
    const client = await place.client(database, application);
    const stored = await client.query('SELECT t::text AS row FROM steadyhand.tokens t UNION ALL SELECT e::text FROM steadyhand.events e');
    expect(stored.rowCount).toBe(2);
    expect(JSON.stringify(stored.rows)).not.toContain(token.slice(-43));
  });

  it('that are unknown, expired or revoked have nobody behind them', async () => {
    const { token, row } = await control.tokens.create({ person: 'ben', actor: anna });
    expect(await control.tokens.check('nonsense')).toBeNull();
    expect(await control.tokens.check(`sh_000000000000_${token.slice(-43)}`)).toBeNull();
    expect(await control.tokens.check(`sh_${row.id}_${'x'.repeat(43)}`)).toBeNull();
    const expired = await control.tokens.create({ person: 'ben', expiresInMs: -1, actor: anna });
    expect(await control.tokens.check(expired.token)).toBeNull();
    const fresh = await control.tokens.create({ person: 'ben', expiresInMs: 60_000, actor: anna });
    expect(Date.parse((await control.tokens.check(fresh.token))?.expiresAt ?? '')).toBeGreaterThan(Date.now());
    await control.tokens.revoke(row.id, anna);
    await control.tokens.revoke(row.id, anna);
    expect(await control.tokens.check(token)).toBeNull();
    await failureOf('not-found', control.tokens.revoke('nonsense', anna));
    const kinds = (await control.events.list({ limit: 9 })).map((event) => event.kind);
    expect(kinds).toEqual(['token.created', 'token.created', 'token.created', 'token.revoked']);
  });
});
