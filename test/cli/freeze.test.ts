import { expect, test } from 'vitest';
import { apiPlace } from '../api/place.ts';
import { served } from './place.ts';

const place = apiPlace();

test('freeze on, list and off; a run that it stops says so', async () => {
  const api = await place.begin();
  const { id } = await api.run();
  const cli = await served(api, 'grace');
  expect(await cli.run('freeze', 'list')).toMatchObject({ code: 0, out: 'nothing is frozen\n' });
  const on = await cli.run('freeze', 'on', '--database', 'orders', '--until', '2h', '--reason', 'the closing');
  expect(on.out).toMatch(/^\w{26} {2}orders is frozen by grace since \S+, until \S+: the closing\n$/);
  const freeze = on.out.slice(0, 26);
  expect(on.err).toContain(`steadyhand freeze off ${freeze}`);
  expect((await cli.run('runs')).out).toContain('requested, frozen');
  expect((await cli.run('show', id)).out).toContain('* orders is frozen by grace');
  const ada = await served(api, 'ada');
  const refused = await ada.run('start', 'rehearsal', 'orders', '-i', 'word=hello');
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('orders is frozen by grace') });
  expect(refused.err).toContain('steadyhand freeze list');
  await cli.run('freeze', 'on', '--reason', 'all');
  expect(await cli.run('freeze', 'off', '--reason', 'done')).toMatchObject({ code: 2, err: expect.stringContaining('several') });
  expect((await cli.run('freeze', 'off', freeze, '--reason', 'done')).out).toMatch(/\(lifted by grace \S+Z: done\)\n$/);
  expect((await cli.run('freeze', 'off', '--reason', 'done')).out).toContain('every database');
  expect((await cli.run('freeze', 'list', '--all')).out.trim().split('\n')).toHaveLength(2);
  expect(await cli.run('freeze', 'on', '--reason', 'x', '--until', '2020-01-01')).toMatchObject({ code: 2 });
});
