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

const seconds = 10;
const hostileClients = 4;
const clients = fileURLToPath(new URL('../../support/hostile-clients-main.ts', import.meta.url));
const counted = z.object({ answered: z.record(z.string(), z.number()), longest: z.record(z.string(), z.number()) });

/** What expressions for addresses, keys and passwords look at; the others have the same lengths and nothing to look at. */
const hostilePumps = ['a.', 'a-', 'a+', 'http.'];
const harmlessPumps = ['ab', 'cd', 'ef', 'abcde'];

/**
 * A ratio, as other tests share the machine: with harmless texts of the same length another client waits nearly as long. Before
 * redaction was linear, it waited seconds. docs/benchmarks.md has the figure in milliseconds, of a quiet machine.
 */
const atMostTimesHarmless = 4;

test('four clients that send 256 kB of what the redaction looks for hold up nobody else', async () => {
  let pumps = harmlessPumps;
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
  const beside = async (sent: string[]): Promise<{ times: number[]; output: z.infer<typeof counted> }> => {
    pumps = sent;
    const args = [clients, url, tokens.join(','), String(seconds), sent.join(',')];
    const others = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new AbortController();
    const output = text(others.stdout).finally(() => ended.abort());
    const times = await measured(url, api.token, ended.signal);
    return { times, output: counted.parse(JSON.parse(await output)) };
  };
  const alone = await measured(url, api.token, AbortSignal.timeout(5_000));
  const harmless = await beside(harmlessPumps);
  const { times, output } = await beside(hostilePumps);
  const p99 = { alone: at(alone, 0.99), besideHarmless: at(harmless.times, 0.99), besideHostile: at(times, 0.99) };
  console.log({ requests: times.length, p50: at(times, 0.5), most: at(times, 1), p99 });
  expect(p99.besideHostile).toBeLessThan(atMostTimesHarmless * Math.max(p99.besideHarmless, p99.alone, 10));
  // Each way was tried, with a token and without, and answered shortly.
  const kinds = ['path 404', 'path 401', 'key 400', 'key 422', 'key 401', 'value 400', 'value 401', 'header 400', 'header 401'];
  expect(Object.keys(output.answered)).toEqual(expect.arrayContaining([...kinds, 'server-error 502', 'server-error 401']));
  for (const length of Object.values(output.longest)) expect(length).toBeLessThan(25_000);
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
