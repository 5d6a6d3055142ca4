import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Follower } from '../../api/event-feed.ts';
import { eventStream } from '../../api/event-stream.ts';
import { buildApp } from '../../api/server.ts';
import { createStreamLimit } from '../../api/stream-limit.ts';
import type { EventRow } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { eventually } from '../support/eventually.ts';
import { apiPlace, type ApiTest } from './place.ts';

const place = apiPlace();
const row = z.object({ seq: z.number(), kind: z.string(), run: z.string().nullable() });
type Row = z.infer<typeof row>;

interface Listening {
  readonly status: number;
  readonly seen: Row[];
  readonly raw: () => string;
  readonly headers: Headers;
  /** As a client that leaves. */
  readonly leave: () => void;
  /** Resolves when the server has ended the stream; rejects when it was torn. */
  readonly ended: Promise<void>;
}

type Asked = Record<string, string>;

async function listen(api: Pick<ApiTest, 'app' | 'tokenOf'>, path: string, headers: Asked = {}, as = 'ada'): Promise<Listening> {
  if (!api.app.server.listening) await api.app.listen({ port: 0, host: '127.0.0.1' });
  const address = api.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  const left = new AbortController();
  const response = await fetch(`http://127.0.0.1:${address.port}${path}`, {
    headers: { authorization: `Bearer ${await api.tokenOf(as)}`, accept: 'text/event-stream', ...headers },
    signal: left.signal,
  });
  let raw = '';
  const seen: Row[] = [];
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      raw += decoder.decode(chunk, { stream: true });
      const messages = [...raw.matchAll(/^id: (\d+)\ndata: (.*)\n\n/gm)].map((match) => row.parse(JSON.parse(match[2] ?? '')));
      seen.push(...messages.slice(seen.length));
    }
  };
  const ended = read();
  ended.catch(() => undefined);
  return { status: response.status, headers: response.headers, seen, raw: () => raw, ended, leave: () => left.abort() };
}

test('a run’s events come as they are recorded, each once, until the run has ended', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  const stream = await listen(api, `/v1/runs/${id}/events`);
  expect(stream.status).toBe(200);
  await eventually(() => Promise.resolve(stream.seen.length === 1 ? true : undefined));
  await api.run('another-run');
  await api.control.runs.change(run, { state: 'running' });
  await eventually(() => Promise.resolve(stream.seen.length === 2 ? true : undefined));
  await api.control.runs.close(run, { outcome: 'refused', free: true });
  await stream.ended;
  expect(stream.seen.map((one) => one.kind)).toEqual(['run.requested', 'run.state', 'run.closed']);
  expect(new Set(stream.seen.map((one) => one.run))).toEqual(new Set([run]));
});

test('with Last-Event-ID it goes on behind that event; after the end there is nothing to come back for', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  await api.control.runs.change(run, { state: 'running' });
  await api.control.runs.close(run, { outcome: 'refused', free: true });
  const [requested, , closed] = await api.control.events.list({ run, limit: 9 });
  const again = await listen(api, `/v1/runs/${id}/events?after=0`, { 'last-event-id': String(requested?.seq) });
  await again.ended;
  expect(again.seen.map((one) => one.kind)).toEqual(['run.state', 'run.closed']);
  expect((await listen(api, `/v1/runs/${id}/events`, { 'last-event-id': String(closed?.seq) })).status).toBe(204);
  expect((await listen(api, `/v1/runs/${id}/events`, { 'last-event-id': 'x' })).status).toBe(400);
});

test('everything can be followed, over many pages and while eight write at once: no gap, nothing twice, in order', async () => {
  const api = await place.begin();
  for (let count = 0; count < 60; count += 1) await api.run();
  const stream = await listen(api, '/v1/events?after=0');
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let count = 0; count < 10; count += 1) await api.run();
    }),
  );
  const last = await api.control.events.last();
  await eventually(() => Promise.resolve(stream.seen.length >= last ? true : undefined));
  expect(stream.seen.map((one) => one.seq)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
});

test('a stream ends cleanly when the API stops', async () => {
  const api = await place.begin();
  const { id } = await api.run();
  const stream = await listen(api, `/v1/runs/${id}/events`);
  await eventually(() => Promise.resolve(stream.seen.length === 1 ? true : undefined));
  const began = performance.now();
  await api.app.close();
  await stream.ended;
  expect(performance.now() - began).toBeLessThan(3_000);
});

test('open streams are limited, by token and in all; who is refused is told when to come back, and a stream that ends makes room', async () => {
  const api = await place.begin();
  const streams = createStreamLimit({ inAll: 3, perToken: 2 });
  const app = await buildApp({ ...api.parts, streams });
  const ask = async (as: string): Promise<Listening> => await listen({ ...api, app }, '/v1/events', {}, as);
  const gauge = async (): Promise<string> => (await app.inject('/metrics')).body;
  const ada = await ask('ada');
  expect((await ask('ada')).status).toBe(200);
  const refused = await ask('ada');
  await refused.ended;
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
  expect(JSON.parse(refused.raw())).toMatchObject({ code: 'rate-limited', retryable: true, facts: { perToken: 2 } });
  expect((await ask('grace')).status).toBe(200);
  const full = await ask('grace');
  await full.ended;
  expect([full.status, full.headers.get('retry-after')]).toEqual([503, '10']);
  expect(JSON.parse(full.raw())).toMatchObject({ code: 'overloaded', retryable: true, facts: { inAll: 3 } });
  expect(await gauge()).toMatch(/^steadyhand_event_streams 3$/m);
  const page = await app.inject({ url: '/v1/events', headers: { authorization: `Bearer ${await api.tokenOf('ada')}` } });
  expect(page.statusCode).toBe(200);
  ada.leave();
  await eventually(async () => (await gauge()).includes('steadyhand_event_streams 2\n') || undefined);
  expect((await ask('ada')).status).toBe(200);
  await app.close();
  expect(streams.count()).toBe(0);
});

test('a connection that never asked for anything does not hold up the end', async () => {
  const api = await place.begin();
  const { port } = new URL(await api.app.listen({ port: 0, host: '127.0.0.1' }));
  const silent = connect(Number(port), '127.0.0.1');
  await once(silent, 'connect');
  const began = performance.now();
  await api.app.close();
  expect(performance.now() - began).toBeLessThan(10_000);
  silent.destroy();
});

const anEvent: EventRow = {
  seq: 1,
  at: '',
  run: 'r',
  kind: 'run.state',
  actor: { kind: 'system', name: 'x', channel: 'engine' },
  data: {},
};

/** Always news, or never. */
function follower(news: boolean): Follower {
  return {
    changed: (ms) => (news ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))),
    seen: () => undefined,
    stopped: false,
    stop: () => undefined,
  };
}

test('a client that takes nothing costs one page, however much is recorded', async () => {
  let pages = 0;
  const events = {
    list: async ({ after = 0, limit }: { after?: number | undefined; limit: number }) => {
      pages += 1;
      return await Promise.resolve(Array.from({ length: limit }, (_, index) => ({ ...anEvent, seq: after + index + 1 })));
    },
  };
  const stream = eventStream({
    events,
    follower: follower(true),
    filter: {},
    ended: false,
    heartbeatMs: 1,
    allowed: () => Promise.resolve(),
  });
  for (let taken = 0; taken < 50; taken += 1) await stream.next();
  expect(pages).toBe(1);
  await stream.return(undefined);
});

test('a quiet stream says so now and then, and ends when its token does', async () => {
  const refused = new Failure('unauthenticated', 'revoked');
  let looks = 0;
  const allowed = async (): Promise<void> => {
    if ((looks += 1) > 2) throw refused;
    await Promise.resolve();
  };
  const events = { list: () => Promise.resolve([]) };
  const said: string[] = [];
  const stream = eventStream({ events, follower: follower(false), filter: {}, ended: false, heartbeatMs: 20, allowed });
  await expect(
    (async () => {
      for await (const text of stream) said.push(text);
    })(),
  ).rejects.toBe(refused);
  expect(said.slice(1)).toEqual([': nothing new\n\n', ': nothing new\n\n']);
});
