import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { digestOf } from '../../domain/digest.ts';
import { everyScope } from '../../domain/token.ts';
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
  it('that could do everything before the scope `audit` was made can do that, too', async () => {
    const before = everyScope.filter((scope) => scope !== 'audit');
    const { row: all } = await control.tokens.create({ person: 'ben', scopes: before, actor: anna });
    const { row: reads } = await control.tokens.create({ person: 'ben', scopes: ['read'], actor: anna });
    const client = await place.client(database);
    await client.query(await readFile(new URL('../../control/migrations/0019-audit-scope.sql', import.meta.url), 'utf8'));
    const scopes = new Map((await control.tokens.list()).map((token) => [token.id, token.scopes]));
    expect(scopes.get(all.id)).toEqual(everyScope);
    expect(scopes.get(reads.id)).toEqual(['read']);
  });

  it('are shown once; what is stored cannot be used', async () => {
    const { token, row } = await control.tokens.create({ person: 'ben', note: 'laptop', actor: anna });
    expect(token).toMatch(/^sh_[0-9a-z]+_[\w-]{43}$/);
    expect(row).toEqual({
      id: token.split('_')[1],
      person: 'ben',
      kind: 'person',
      scopes: everyScope,
      note: 'laptop',
      createdAt: expect.any(String),
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
      oldSecretUntil: null,
    });
    expect(await control.tokens.list()).toEqual([row]);
    expect(await control.tokens.check(token)).toEqual(row);
    const [used] = await control.tokens.list('ben');
    expect(Date.now() - Date.parse(used?.lastUsedAt ?? '')).toBeLessThan(10_000);
    expect(await control.tokens.check(token)).toEqual(used);
    expect(await control.tokens.list('anna')).toEqual([]);
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

  it('get a new secret, and every earlier one is valid for the overlap that was named', async () => {
    const { token: first, row } = await control.tokens.create({ person: 'ben', kind: 'service', scopes: ['read'], actor: anna });
    const { token: second } = await control.tokens.rotate(row.id, { overlapMs: 60_000, actor: anna });
    const { token: third, row: rotated } = await control.tokens.rotate(row.id, { overlapMs: 3_600_000, actor: anna });
    expect(rotated).toMatchObject({ id: row.id, kind: 'service', scopes: ['read'] });
    const until = Date.parse(rotated.oldSecretUntil ?? '') - Date.now();
    expect(until).toBeGreaterThan(3_500_000);
    for (const token of [first, second, third]) expect(await control.tokens.check(token)).toMatchObject({ id: row.id });
    const { token: last } = await control.tokens.rotate(row.id, { overlapMs: 0, actor: anna });
    for (const token of [first, second, third]) expect(await control.tokens.check(token)).toBeNull();
    expect(await control.tokens.check(last)).toMatchObject({ id: row.id, oldSecretUntil: null });
    await control.tokens.revoke(row.id, anna);
    await failureOf('conflict', control.tokens.rotate(row.id, { overlapMs: 0, actor: anna }));
    await failureOf('not-found', control.tokens.rotate('nonsense', { overlapMs: 0, actor: anna }));
    const expired = await control.tokens.create({ person: 'ben', expiresInMs: -1, actor: anna });
    await failureOf('conflict', control.tokens.rotate(expired.row.id, { overlapMs: 0, actor: anna }));
    const renewed = await control.tokens.rotate(expired.row.id, { overlapMs: 0, expiresInMs: 60_000, actor: anna });
    expect(await control.tokens.check(renewed.token)).toMatchObject({ id: expired.row.id });
    expect((await control.events.list({ kind: 'token.rotated', limit: 9 })).map((event) => event.data)).toHaveLength(4);
  });
});
