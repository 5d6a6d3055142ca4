import type { FastifyBaseLogger } from 'fastify';
import { expect, test } from 'vitest';
import { startUnstarted } from '../../api/start-unstarted.ts';
import { Failure } from '../../domain/failure.ts';
import { apiPlace } from '../api/place.ts';
import { eventually } from '../support/eventually.ts';
import { served } from './place.ts';

const place = apiPlace();

test('a run whose workflow cannot be started says why: start, show, watch and /readyz', async () => {
  const api = await place.begin();
  api.temporal.refuseStart = true;
  const cli = await served(api, 'ada');
  const { out, err } = await cli.run('start', 'rehearsal', 'orders', '-i', 'word=hello');
  const id = out.slice(0, 26);
  expect(err).toContain('It has not started yet: the connection was lost\n');
  const why = '! not started yet, tried again every 2 s\n  temporal-unavailable: the connection was lost\n';
  expect((await cli.run('show', id)).out).toContain(why);
  expect((await api.call('GET', '/readyz')).body).toEqual({ ready: true, degraded: [] });
  await api.superuser("UPDATE steadyhand.requests SET requested_at = now() - interval '1 minute'");
  const because = expect.stringMatching(/^1 run is requested and not started, the oldest since \S+Z: the connection was lost$/) as string;
  // One answer serves everybody for a second.
  await eventually(async () => {
    expect((await api.call('GET', '/readyz')).body).toMatchObject({ degraded: [{ what: 'runs', because }] });
    return true;
  });
  expect((await cli.run('show', id)).out).toContain('(1 run is requested and not started, the oldest since');
  const events = await api.control.events.list({ limit: 100 });
  const log = { info: () => undefined } as unknown as FastifyBaseLogger;
  await expect(startUnstarted(api.parts, log)).rejects.toThrow('the connection was lost');
  expect(await api.control.events.list({ limit: 100 })).toEqual(events);
  const watched = await served(api, 'ada', {
    wait: async () => await api.control.runs.close(`rehearsal/orders/${id}`, { outcome: 'refused', free: true }),
  });
  expect((await watched.run('watch', id)).out).toContain(why.split('\n')[1]);
});

test('a service that is not ready is reported to those who look at a run', async () => {
  const api = await place.begin();
  const { id } = await api.run();
  api.temporal.notReady = new Failure(
    'search-attributes-missing',
    'it lacks RunbookTicket. Run:\n  temporal operator search-attribute create',
  );
  const cli = await served(api, 'ada');
  expect((await cli.run('show', id)).out).toContain('(it lacks RunbookTicket. Run: temporal operator search-attribute create)');
});
