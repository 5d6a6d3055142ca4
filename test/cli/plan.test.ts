import { expect, test } from 'vitest';
import { apiPlace, aPlan } from '../api/place.ts';
import { served } from './place.ts';

const place = apiPlace();

test('plan prints the plan, as text and as JSON', async () => {
  const cli = await served(await place.begin(), 'ada');
  const text = await cli.run('plan', 'rehearsal', 'orders', '-i', 'word=hello');
  expect(text).toMatchObject({ code: 0, err: '' });
  expect(text.out).toContain('PLAN  rehearsal of orders');
  expect(JSON.parse((await cli.run('plan', 'rehearsal', 'orders', '-i', 'word=hello', '--json')).out)).toMatchObject({
    blocked: false,
    plan: aPlan,
  });
});
