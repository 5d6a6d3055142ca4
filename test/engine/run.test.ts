import { expect, test } from 'vitest';
import { newGate, once } from './hooked-control.ts';
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

test('after a try on the spot that took too long there is none any more: between two calls of the server messages are heard', async () => {
  const { request, agree, result, hooks, client } = await place.begin();
  const gate = newGate();
  hooks.before.set('questions.judge', once(gate.pass));
  const run = await request();
  await agree(run, 'agree-first');
  await agree(run, 'agree-last');
  expect(await result(run)).toEqual({ outcome: 'succeeded' });
  gate.open();
  const { events } = await client.workflow.getHandle(run).fetchHistory();
  const tries = (events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) =>
    marker?.markerName === 'core_local_activity' ? [marker.failure ? 'failed' : 'done'] : [],
  );
  expect([tries.includes('done'), tries.filter((one) => one === 'failed').length, tries.at(-1)]).toEqual([true, 1, 'failed']);
});
