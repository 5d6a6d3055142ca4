import { monotonicFactory } from 'ulid';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Outcome } from '../../domain/run.ts';
import { newRequest } from '../control/support.ts';
import { apiPlace, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();
/** In order also within a millisecond. */
const ulid = monotonicFactory();
const runsPage = z.object({ runs: z.array(z.object({ run: z.string() })), next: z.string().nullable() });
const eventsPage = z.object({ events: z.array(z.object({ seq: z.number(), run: z.string().nullable() })), next: z.number().nullable() });

async function add(api: ApiTest, changes: Parameters<typeof newRequest>[0] & { outcome?: Outcome } = {}): Promise<string> {
  const { outcome, ...request } = changes;
  const { run } = (await api.control.requests.create(newRequest({ run: `rehearsal/orders/${ulid()}`, runbook: 'rehearsal', ...request })))
    .request;
  if (outcome !== undefined) await api.control.runs.close(run, { outcome, free: true });
  return run;
}

async function listed(api: ApiTest, query: string): Promise<string[]> {
  return runsPage.parse((await api.call('GET', `/v1/runs?${query}`, { as: 'ada' })).body).runs.map((one) => one.run);
}

test('H9: pages of runs have no gap and nothing twice, while runs are asked for', async () => {
  const api = await place.begin();
  const before: string[] = [];
  for (let count = 0; count < 25; count += 1) before.push(await add(api));
  const seen: string[] = [];
  for (let next: string | null = ''; next !== null;) {
    const path = `/v1/runs?limit=4${next === '' ? '' : `&before=${next}`}`;
    const [{ body }] = await Promise.all([api.call('GET', path, { as: 'ada' }), add(api), add(api)]);
    const page = runsPage.parse(body);
    seen.push(...page.runs.map((one) => one.run));
    ({ next } = page);
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.filter((run) => before.includes(run))).toEqual(before.toReversed());
});

test('H9: pages of the record go on to the newest event while others are written at once', async () => {
  const api = await place.begin();
  await add(api);
  let writing = true;
  const writers = Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let count = 0; count < 15; count += 1) await add(api);
    }),
  ).finally(() => (writing = false));
  const seen: number[] = [];
  for (let after = 0; ;) {
    const more = writing;
    const page = eventsPage.parse((await api.call('GET', `/v1/events?limit=7&after=${after}`, { as: 'ada' })).body);
    seen.push(...page.events.map((one) => one.seq));
    after = seen.at(-1) ?? after;
    if (!more && page.next === null) break;
  }
  await writers;
  // Ada's token is an event, too.
  expect(seen).toEqual(Array.from({ length: 122 }, (_, index) => index + 1));
});

test('runs are filtered by each of their sides, and by all at once', async () => {
  const api = await place.begin();
  const old = await add(api, { requester: 'anna', outcome: 'refused' });
  const other = await add(api, {
    run: `migration-cutover/shop/${ulid()}`,
    runbook: 'migration-cutover',
    database: 'shop',
    requester: 'ben',
    outcome: 'succeeded',
  });
  const open = await add(api, { requester: 'anna' });
  const [row] = await api.control.runs.list({ limit: 1, database: 'shop' });
  const at = encodeURIComponent(row?.requestedAt ?? '');
  expect(await listed(api, 'requester=anna')).toEqual([open, old]);
  expect(await listed(api, 'runbook=migration-cutover')).toEqual([other]);
  expect(await listed(api, 'outcome=refused')).toEqual([old]);
  expect(await listed(api, `since=${at}`)).toEqual([open, other]);
  expect(await listed(api, `until=${at}`)).toEqual([old]);
  expect(await listed(api, 'database=shop&state=closed&outcome=succeeded&requester=ben')).toEqual([other]);
  expect(await listed(api, 'database=shop&requester=anna')).toEqual([]);
});

test('the record is filtered by run, kind, actor and time', async () => {
  const api = await place.begin();
  const run = await add(api, { outcome: 'refused', requester: 'anna' });
  await add(api, { requester: 'ben' });
  const kinds = async (query: string): Promise<unknown> =>
    z
      .object({ events: z.array(z.object({ kind: z.string() })) })
      .parse((await api.call('GET', `/v1/events?${query}`, { as: 'ada' })).body)
      .events.map((one) => one.kind);
  expect(await kinds(`run=${run.split('/').at(-1)}`)).toEqual(['run.requested', 'run.closed']);
  expect(await kinds('kind=run.requested')).toEqual(['run.requested', 'run.requested']);
  expect(await kinds('actor=ben')).toEqual(['run.requested']);
  expect(await kinds('since=2190-01-01T00:00:00Z')).toEqual([]);
  expect(await kinds('until=2190-01-01T00:00:00%2B02:00')).toHaveLength(4);
});

test.each([
  '/v1/runs?since=yesterday',
  '/v1/runs?until=0000-01-01T00:00:00Z',
  '/v1/runs?outcome=fine',
  '/v1/events?kind=%27%3B',
  '/v1/events?after=-1',
  '/v1/events?since=9999-12-31T23:59:59Z',
])('%s is refused, naming the field', async (url) => {
  const api = await place.begin();
  const answer = await api.call('GET', url, { as: 'ada' });
  expect(answer.status).toBe(400);
  expect(problemIn(answer).problems[0]?.path).toMatch(/^querystring\./);
});
