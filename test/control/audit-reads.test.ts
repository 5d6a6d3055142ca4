import { expect, it } from 'vitest';
import { makeManyEvents } from '../../bench/control/many-events.ts';
import { createControl } from '../../control/control.ts';
import { Failure } from '../../domain/failure.ts';
import { application, controlPlace, failureOf, rowsRead } from './support.ts';

const place = controlPlace();

it('searches by actor, kind and time read what they show, and not the record', async () => {
  const { control, database } = await place.fresh();
  const client = await place.client(database);
  await makeManyEvents(client, 20_000);
  const { rows } = await client.query<{ since: Date }>('SELECT at AS since FROM steadyhand.events WHERE seq = 19990');
  const since = rows[0]?.since.toISOString();
  const { rows: inMiddle } = await client.query<{ since: Date }>('SELECT at AS since FROM steadyhand.events WHERE seq = 10000');
  const middle = inMiddle[0]?.since.toISOString();
  const searches = [
    { actor: 'nobody' },
    { actor: 'anna', after: 15_000 },
    { kind: 'lease.released' },
    { kind: 'decision.made', after: 15_000 },
    { kind: 'step.done', actor: 'nobody' },
    { since },
    { since, kind: 'step.done' },
    { since: middle },
    { since: middle, kind: 'step.done' },
    { until: middle, after: 15_000 },
  ];
  for (const search of searches) {
    const read = await rowsRead(place, database, (counted) => counted.events.list({ ...search, limit: 100 }));
    expect(read, JSON.stringify(search)).toBeLessThan(2_000);
  }
  expect(await control.events.verify()).toMatchObject({ rows: 20_000, bad: null });
});

it('searches that do not end are reported as too slow, and nothing else waits behind them', async () => {
  const { control, database } = await place.fresh();
  const blocker = await place.client(database);
  await blocker.query('BEGIN; LOCK TABLE steadyhand.events IN ACCESS EXCLUSIVE MODE');
  const began = performance.now();
  const searches = Array.from({ length: 30 }, (_, at) =>
    failureOf('query-too-slow', control.events.list({ actor: `anna-${at}`, limit: 10 })),
  );
  const verification = failureOf('query-too-slow', control.events.verify());
  for (let round = 0; round < 20; round += 1) {
    await control.ping();
    await control.tokens.check('sh_none_none');
  }
  expect(performance.now() - began).toBeLessThan(3_000);
  const failures = [...(await Promise.all(searches)), await verification];
  for (const failure of failures) expect(failure).toMatchObject({ retryable: true, hint: expect.not.stringContaining('Bring') });
  await blocker.query('ROLLBACK');
  expect(await control.events.list({ actor: 'anna', limit: 10 })).toEqual([]);
});

it('a server that is away is not called slow, also for those that wait for a connection to it', async () => {
  const away = createControl({ connectionString: place.url('postgres', application).replace(/:\d+\//, ':1/'), applicationName: 'away' });
  const asked = await Promise.allSettled(Array.from({ length: 30 }, () => away.ping()));
  const codes = asked.map((one) => (one.status === 'rejected' && one.reason instanceof Failure ? one.reason.code : one.status));
  expect(new Set(codes)).toEqual(new Set(['control-database-unavailable']));
  await away.close();
});
