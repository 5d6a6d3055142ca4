import { ulid } from 'ulid';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { enginePlace } from './place.ts';

const place = enginePlace();

test('a workflow without a request row is refused', async () => {
  const { client, taskQueue, world } = await place.begin();
  const started = client.workflow.start('rehearsal', { workflowId: `rehearsal/orders/${ulid()}`, taskQueue, args: [{ request: 'made-up', input: { word: 'hello' } }] });
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

test('the second run of a database is refused and told who holds the lease', async () => {
  const { request, agree, asked, result } = await place.begin();
  const first = await request();
  await agree(first, 'agree-first');
  await asked(first, 'agree-last');
  const second = await request();
  await agree(second, 'agree-first');
  expect(await result(second)).toMatchObject({ outcome: 'refused', because: `the lease of orders is held by ${first}` });
});

test('a terminated run leaves an orphaned lease that names what is left', async () => {
  const { request, agree, asked, result, client, control, detail } = await place.begin();
  const first = await request();
  await agree(first, 'agree-first');
  await asked(first, 'agree-last');
  await client.workflow.getHandle(first).terminate('gone');
  const second = await request();
  await agree(second, 'agree-first');
  expect(await result(second)).toMatchObject({ outcome: 'refused' });
  expect((await detail(second)).failure).toMatchObject({
    code: 'lease-orphaned',
    facts: { holder: first, left: [expect.stringMatching(/^first: /), expect.stringMatching(/^second: /)] },
  });
  const lease = await eventually(async () => (await control.lease.find('orders')) ?? undefined);
  expect(lease).toMatchObject({ state: 'orphaned', holder: first });
});
