import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { apiProcesses } from '../../api/api-process.ts';
import { startRefusingPostgres } from '../../support/refusing-postgres.ts';

const place = apiProcesses();
const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

const seconds = 20;
const hostileClients = 4;
const clients = fileURLToPath(new URL('../../support/hostile-clients-main.ts', import.meta.url));
const counted = z.object({ answered: z.record(z.string(), z.number()), longest: z.record(z.string(), z.number()) });

test('four clients that send 256 kB of what the redaction looks for hold up nobody else', async () => {
  const pumps = ['a.', 'a-', 'a+', 'http.'];
  let asked = 0;
  const orders = await startRefusingPostgres(() => (pumps[(asked += 1) % pumps.length] ?? '').repeat(64 * 1024));
  endings.push(orders.close);
  const api = await place.begin({
    orders: `{ host: 127.0.0.1, port: ${orders.port}, dbname: orders, user: steadyhand, sslmode: disable }`,
  });
  // The limits of rates would hide how long a request takes.
  const limits = { STEADYHAND_API_RATE: '100000', STEADYHAND_API_REFUSALS: '100000', STEADYHAND_LOG_LEVEL: 'info' };
  const { url } = await api.start({ environment: limits });
  const tokens = await Promise.all(
    Array.from({ length: hostileClients }, async () => {
      const made = await api.control.tokens.create({ person: 'ada', actor: { kind: 'person', name: 'root', channel: 'host' } });
      return made.token;
    }),
  );
  const alone = at(await measured(url, api.token, AbortSignal.timeout(5_000)), 0.99);
  const hostile = spawn(process.execPath, [clients, url, tokens.join(','), String(seconds)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new AbortController();
  const output = text(hostile.stdout).finally(() => ended.abort());
  const times = await measured(url, api.token, ended.signal);
  const { answered, longest } = counted.parse(JSON.parse(await output));
  const [p50, p99, most] = [at(times, 0.5), at(times, 0.99), at(times, 1)];
  console.log({ requests: times.length, p50, p99, most, p99Alone: alone, answered });
  expect(p99).toBeLessThan(100);
  expect(times.length).toBeGreaterThan(200);
  // Each way was tried, with a token and without, and answered shortly.
  const kinds = ['path 404', 'path 401', 'key 400', 'key 422', 'key 401', 'value 400', 'value 401', 'header 400', 'header 401'];
  expect(Object.keys(answered)).toEqual(expect.arrayContaining([...kinds, 'server-error 502', 'server-error 401']));
  for (const length of Object.values(longest)) expect(length).toBeLessThan(25_000);
});

/** Milliseconds of one client's requests, one after the other, in order of their length. */
async function measured(url: string, token: string, until: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  while (!until.aborted) {
    const begin = performance.now();
    const answer = await fetch(`${url}/v1/databases`, { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    times.push(performance.now() - begin);
    expect(answer.status).toBe(200);
  }
  return times.toSorted((one, other) => one - other);
}

function at(times: readonly number[], part: number): number {
  return Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.POSITIVE_INFINITY);
}
