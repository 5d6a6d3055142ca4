import { createSecretKey, randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { expect, test } from 'vitest';
import { buildApp } from '../../api/server.ts';
import { payloadCodec } from '../../temporal/payload-codec.ts';
import { apiPlace, problemIn } from '../api/place.ts';

const place = apiPlace();
const codec = { payloads: payloadCodec([{ id: 'k1', key: createSecretKey(randomBytes(32)) }]), page: 'https://temporal.example.com' };

const asJson = ({ metadata, data }: Payload): object => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
  data: Buffer.from(data ?? []).toString('base64'),
});

test('Temporal’s page gets payloads decrypted, for people with a token, and from no other page', async () => {
  const api = await place.begin();
  const app = await buildApp({ ...api.parts, codec });
  const plain = defaultPayloadConverter.toPayload({ word: 'hello' });
  const payload = { payloads: (await codec.payloads.encode([plain])).map(asJson) };
  const headers = { authorization: `Bearer ${await api.tokenOf('ada')}`, origin: 'https://temporal.example.com', 'x-namespace': 'default' };
  const decoded = await app.inject({ method: 'POST', url: '/codec/decode', headers, payload });
  expect(decoded.json()).toEqual({ payloads: [asJson(plain)] });
  expect(decoded.headers).toMatchObject({ 'access-control-allow-origin': 'https://temporal.example.com' });
  const asked = await app.inject({ method: 'OPTIONS', url: '/codec/decode', headers: { origin: 'https://elsewhere.example.com' } });
  expect(asked).toMatchObject({ statusCode: 204, headers: { 'access-control-allow-origin': 'https://temporal.example.com' } });
  const nobody = await app.inject({ method: 'POST', url: '/codec/decode', payload });
  expect(nobody.statusCode).toBe(401);
  expect(nobody.body).not.toContain('hello');
  const unknown = { payloads: [{ metadata: { encoding: btoa('binary/encrypted'), 'encryption-key-id': btoa('k9') }, data: '' }] };
  expect((await app.inject({ method: 'POST', url: '/codec/decode', headers, payload: unknown })).json()).toMatchObject({
    code: 'configuration-invalid',
    detail: expect.stringContaining('"k9"'),
  });
  await app.close();
});

test('without keys there is nothing to decrypt, and a page is told nothing', async () => {
  const api = await place.begin();
  const answer = await api.call('POST', '/codec/decode', { as: 'ada', body: { payloads: [] } });
  expect(problemIn(answer).code).toBe('not-found');
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
});
