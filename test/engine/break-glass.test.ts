import { expect, test } from 'vitest';
import type { Actor } from '../../control/contract.ts';
import { parseInventory } from '../../domain/inventory.ts';
import { eventually } from '../support/eventually.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();
const by = (name: string): Actor => ({ kind: 'person', name, channel: 'cli' });
const anyOfThem = [{ group: 'dba', count: 1, or: ['second-line'] }];

const freeze = async ({ control }: EngineTest): Promise<unknown> =>
  await control.freezes.on({ database: 'orders', reason: 'the closing', until: null, by: by('grace') });

test('a request that breaks the glass passes the freeze; one more person agrees instead of the quorum, and never the requester', async () => {
  const engine = await place.begin();
  await freeze(engine);
  const run = await engine.request(undefined, { breakGlass: 'orders is down' });
  const { questions, breakGlass, frozen } = await engine.asked(run, 'agree-first');
  expect({ breakGlass, frozen }).toMatchObject({ breakGlass: { person: 'ada', reason: 'orders is down' }, frozen: null });
  expect(questions).toMatchObject([{ quorum: anyOfThem, chain: [] }]);
  expect(await engine.decide(run, 'ada', 'approve')).toMatchObject({ counts: false });
  expect(await engine.decide(run, 'linus', 'approve')).toMatchObject({ counts: false });
  expect(await engine.decide(run, 'barbara', 'approve')).toMatchObject({ counts: true, settled: 'approve' });
  await engine.asked(run, 'agree-last');
  await engine.decide(run, 'grace', 'approve');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  expect(await engine.events(run, 'break-glass.used')).toEqual([{ reason: 'orders is down' }]);
});

test('broken at a run that stands still, it goes on; broken at an approval, who agreed before counts still', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await freeze(engine);
  await engine.agree(run, 'agree-first');
  await eventually(async () => (await engine.detail(run)).steps.find((one) => one.id === 'first' && one.state === 'waiting'));
  await engine.control.runs.breakGlass(run, by('grace'), 'orders is down', anyOfThem);
  await engine.asked(run, 'agree-last');
  expect(engine.world.effects).toEqual(['+first', '+second']);
  expect((await engine.detail(run)).questions).toMatchObject([{ quorum: anyOfThem }]);
  expect(await engine.decide(run, 'grace', 'approve')).toMatchObject({ settled: 'approve' });
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('an approval that is open takes the quorum of the emergency at once', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await engine.control.runs.breakGlass(run, by('barbara'), 'orders is down', anyOfThem);
  await engine.control.runs.breakGlass(run, by('grace'), 'said again', []);
  expect(await engine.decide(run, 'barbara', 'approve', 'orders is down')).toMatchObject({ settled: 'approve' });
  await engine.asked(run, 'agree-last');
  expect(await engine.events(run, 'break-glass.used')).toEqual([{ reason: 'orders is down', quorum: anyOfThem }]);
});

test('a policy that asks nobody asks somebody then', async () => {
  const engine = await place.begin({ auto: true });
  const run = await engine.request(undefined, { breakGlass: 'orders is down' });
  expect((await engine.asked(run, 'agree-first')).questions).toMatchObject([{ quorum: anyOfThem }]);
});

test.each([
  ['is in none of its groups any more', '{ groups: [second-line] }', 'ada may not break the glass of orders: second-line may'],
  ['nobody may by the policy', undefined, 'ada may not break the glass of orders: nobody may'],
])('who asked so and %s is refused by the worker', async (_, breakGlass, because) => {
  const engine = await place.begin({ workers: 0 });
  const run = await engine.request(undefined, { breakGlass: 'orders is down' });
  engine.inventory = parseInventory(
    `
version: 1
people: [{ name: ada, groups: [on-call] }, { name: grace, groups: [dba] }, { name: barbara, groups: [second-line] }]
policies:
  default:
    requesters: [on-call]
    operators: [dba]
    ${breakGlass === undefined ? '' : `breakGlass: ${breakGlass}`}
    approvals: { low: auto, medium: auto, high: { quorum: [{ group: dba }] } }
databases:
  orders: { provider: streaming, owners: dba, server: { host: localhost, dbname: orders, user: steadyhand } }`,
    'steadyhand.yaml',
  );
  await engine.startWorker();
  await expect(engine.result(run)).rejects.toMatchObject({ cause: { type: 'forbidden' } });
  expect((await engine.detail(run)).because).toBe(because);
});
