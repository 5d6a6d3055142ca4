import { expect, test } from 'vitest';
import { apiPlace } from '../api/place.ts';
import { served } from './place.ts';

const place = apiPlace();
const digest = 'd'.repeat(64);
const quorum = [{ group: 'nobody', count: 1 }];

test('start --break-glass passes a freeze; runs, show and watch say so for ever, and that nobody has reviewed it', async () => {
  const api = await place.begin();
  const ada = await served(api, 'ada');
  const grace = await served(api, 'grace');
  await grace.run('freeze', 'on', '--reason', 'the closing');
  const started = await ada.run('start', 'rehearsal', 'orders', '-i', 'word=hello', '--break-glass', 'orders is down');
  expect(started).toMatchObject({ code: 0 });
  const id = started.out.slice(0, 26);
  expect((await ada.run('show', id)).out).toMatch(/!! BREAK-GLASS by ada at \S+Z: orders is down\n(?!.*NOT REVIEWED)/);
  expect((await ada.run('runs')).out).toContain('requested, BREAK-GLASS');
  await api.control.runs.close(`rehearsal/orders/${id}`, { outcome: 'succeeded', free: true });
  expect((await ada.run('runs', '--break-glass', 'not-reviewed')).out).toContain('succeeded, BREAK-GLASS, not reviewed');
  expect((await ada.run('watch', id)).out).toContain(`NOT REVIEWED: steadyhand review ${id} --reason`);
  expect((await grace.run('review', id, '--reason', 'it was needed')).out).toMatch(/reviewed by grace at \S+Z: it was needed\n$/);
  expect((await ada.run('runs', '--break-glass', 'not-reviewed')).out).toBe('no runs\n');
  expect((await ada.run('runs', '--break-glass', 'used')).out).toMatch(/succeeded, BREAK-GLASS +\d/);
});

test('approve --break-glass breaks it and agrees', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  await api.control.questions.open({ run, approval: 'agree', opening: 1, kind: 'approval', digest, choices: ['approve'], quorum });
  const cli = await served(api, 'grace');
  const said = await cli.run('approve', id, '--yes', '--break-glass', 'orders is down');
  expect(said).toMatchObject({ code: 0, err: expect.stringMatching(/^!! BREAK-GLASS by grace at \S+Z: orders is down\n/) });
  expect(api.temporal.messages).toMatchObject([{ choice: 'approve' }]);
  expect((await api.control.runs.detail(id))?.questions).toMatchObject([{ quorum: [{ group: 'on-call', or: ['dba'] }] }]);
});
