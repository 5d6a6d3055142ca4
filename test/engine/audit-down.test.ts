import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { once } from './hooked-control.ts';
import { enginePlace } from './place.ts';

const place = enginePlace();

test('U4: while nothing can be written to the audit no change begins, and everything can be read', async () => {
  const engine = await place.begin();
  const [holder, watcher] = [await engine.superuser(), await engine.superuser()];
  // As on a full disk: who reads is not held up, who appends is.
  engine.hooks.before.set(
    'attempts.intend',
    once(async () => await holder.query('BEGIN; LOCK TABLE steadyhand.events IN EXCLUSIVE MODE')),
  );
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await eventually(async () => {
    const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%steadyhand.%'";
    return (await watcher.query(waiting)).rowCount === 0 ? undefined : true;
  });
  expect(engine.world.effects).toEqual([]);
  expect(await engine.detail(run)).toMatchObject({ state: 'running' });
  expect(await engine.events(run, 'attempt.intended')).toEqual([]);
  expect(await engine.control.events.verify()).toMatchObject({ bad: null });
  expect(engine.world.effects).toEqual([]);
  await holder.query('COMMIT');
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  expect(await engine.control.events.verify()).toMatchObject({ bad: null });
});
