import { expect, test } from 'vitest';
import { enginePlace } from './place.ts';

const place = enginePlace();

test('a run goes through its steps in the order of the plan, asks twice and succeeds', async () => {
  const { request, agree, result, detail, world, control } = await place.begin();
  const run = await request();
  await agree(run, 'agree-first');
  await agree(run, 'agree-last');
  expect(await result(run)).toEqual({ outcome: 'succeeded' });
  expect(world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  const { steps, state, outcome, evidence } = await detail(run);
  expect({ state, outcome }).toEqual({ state: 'closed', outcome: 'succeeded' });
  expect(steps.map((step) => `${step.id} ${step.state}`)).toEqual([
    'look done',
    'agree-first done',
    'first done',
    'unneeded absent',
    'second done',
    'wait done',
    'agree-last done',
    'last done',
    'tidy done',
  ]);
  expect(evidence).toMatchObject({ look: { seen: 'hello' } });
  expect((await control.lease.find('orders'))?.state).toBe('free');
  expect((await control.events.verify()).bad).toBeNull();
});
