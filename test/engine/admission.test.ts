import { ulid } from 'ulid';
import { expect, test } from 'vitest';
import { enginePlace } from './place.ts';

const place = enginePlace();

test('a workflow without a request row is refused', async () => {
  const { client, taskQueue, world } = await place.begin();
  const started = client.workflow.start('rehearsal', {
    workflowId: `rehearsal/orders/${ulid()}`,
    taskQueue,
    args: [{ request: 'made-up', input: { word: 'hello' } }],
  });
  await expect((await started).result()).rejects.toMatchObject({ cause: { type: 'request-unknown' } });
  expect(world.effects).toEqual([]);
});

test('a workflow without any argument is refused, not stuck', async () => {
  const { client, taskQueue } = await place.begin();
  const started = client.workflow.start('rehearsal', { workflowId: `rehearsal/orders/${ulid()}`, taskQueue, args: [{}] });
  await expect((await started).result()).rejects.toMatchObject({ cause: { type: 'request-unknown' } });
});

test('an input that the schema does not take is refused, and the run is closed with the reason', async () => {
  const { request, detail, result } = await place.begin();
  const run = await request({ word: 'x' });
  await expect(result(run)).rejects.toMatchObject({ cause: { type: 'input-invalid' } });
  expect(await detail(run)).toMatchObject({ state: 'closed', outcome: 'refused', failure: { code: 'input-invalid' } });
});

test('the second run of a database is refused at once and told who holds the lease', async () => {
  const { request, agree, asked, result, detail } = await place.begin();
  const first = await request();
  await agree(first, 'agree-first');
  await asked(first, 'agree-last');
  const second = await request();
  await expect(result(second)).rejects.toMatchObject({ cause: { type: 'lease-held' } });
  expect((await detail(second)).because).toBe(`the lease of orders is held by ${first}`);
});

test('two runs that were asked for together: only one of them takes the lease', async () => {
  const { request, agree, asked, result } = await place.begin();
  const first = await request();
  const second = await request();
  await asked(first, 'agree-first');
  await asked(second, 'agree-first');
  await agree(first, 'agree-first');
  await asked(first, 'agree-last');
  await agree(second, 'agree-first');
  expect(await result(second)).toMatchObject({ outcome: 'refused', because: `the lease of orders is held by ${first}` });
});

test('a terminated run leaves an orphaned lease that names what is left', async () => {
  const { request, agree, asked, result, client, control, detail } = await place.begin();
  const first = await request();
  const second = await request();
  await agree(first, 'agree-first');
  await asked(first, 'agree-last');
  await asked(second, 'agree-first');
  await client.workflow.getHandle(first).terminate('gone');
  await agree(second, 'agree-first');
  expect(await result(second)).toMatchObject({ outcome: 'refused' });
  const left = [expect.stringMatching(/^first: /), expect.stringMatching(/^second: /)];
  expect((await detail(second)).failure).toMatchObject({ code: 'lease-orphaned', facts: { holder: first, left } });
  expect(await control.lease.find('orders')).toMatchObject({ state: 'orphaned', holder: first });
  const third = await request();
  await expect(result(third)).rejects.toMatchObject({ cause: { type: 'lease-orphaned' } });
});

test('a run that was started by hand without any argument is refused, not stuck', async () => {
  const { client, taskQueue } = await place.begin();
  const started = client.workflow.start('rehearsal', { workflowId: `rehearsal/orders/${ulid()}`, taskQueue, args: [] });
  await expect((await started).result()).rejects.toMatchObject({ cause: { type: 'request-unknown' } });
});

test('a run that was started by hand under a name that is none is refused, not stuck', async () => {
  const { client, taskQueue } = await place.begin();
  const started = client.workflow.start('rehearsal', { workflowId: `by-hand-${ulid()}`, taskQueue, args: [{ request: 'x', input: {} }] });
  await expect((await started).result()).rejects.toMatchObject({ cause: { type: 'request-unknown' } });
});
