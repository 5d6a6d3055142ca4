import { expect, test } from 'vitest';
import { z } from 'zod';
import { janitorSchema } from '../../api/janitor-answers.ts';
import { digestOf } from '../../domain/digest.ts';
import { parseInventory } from '../../domain/inventory.ts';
import type { OwnedObject } from '../../domain/leftover.ts';
import { tagOf } from '../../domain/run.ts';
import { cliTest } from '../cli/place.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import { apiPlace, aPlan, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();

const atAws = `
version: 1
people: [{ name: ada, groups: [on-call] }, { name: grace, groups: [dba] }]
policies: { default: { requesters: [on-call], operators: [dba], approvals: { low: auto, medium: auto, high: auto } } }
databases:
  orders:
    provider: rds
    owners: dba
    server: { host: localhost, dbname: orders, user: steadyhand }
    rds: { instance: orders, region: eu-central-1 }
`;
const digest = digestOf('a plan');

/** A run that made its first thing and was terminated; its lease is orphaned. */
async function leftBehind(api: ApiTest): Promise<{ run: string; id: string }> {
  const made = await api.run();
  const { run } = made;
  const { control } = api;
  await control.documents.put('plan', digest, aPlan);
  await control.runs.planned(run, { digest, steps: [{ id: 'first', kind: 'change', title: 'Make the first', applies: true }] });
  await control.lease.take('orders', run, async () => await Promise.resolve(true));
  const attempt = { key: `${run}/first/1`, run, step: 'first' };
  const { number } = await control.attempts.claim({ ...attempt, generation: 1, undo: false });
  await control.attempts.intend({ ...attempt, number, database: 'orders', before: {} });
  await control.runs.close(run, { outcome: 'needs-attention', because: 'the workflow was terminated', left: ['first'], free: false });
  return made;
}

const look = async (api: ApiTest, query = ''): Promise<z.infer<typeof janitorSchema>> =>
  janitorSchema.parse((await api.call('GET', `/v1/janitor${query}`, { as: 'ada' })).body);

test('what a run left is told with the command that takes it back, and so is what its name stands on', async () => {
  const api = await place.begin();
  const { run, id } = await leftBehind(api);
  const slot = { database: 'orders', kind: 'slot', byHand: 'SELECT pg_drop_replication_slot(…);' } as const;
  const stranger = 'steadyhand_01kaj0v5z8q4w9t2b7c6d5e4f3';
  api.tagged = [
    { ...slot, name: tagOf(run), tag: tagOf(run) },
    { ...slot, name: stranger, tag: stranger },
  ];
  const command = `steadyhand janitor --remove ${id} --reason '…'`;
  api.unseen = ['the file is not there'];
  expect(await look(api)).toEqual({
    runs: [
      {
        run,
        database: 'orders',
        outcome: 'needs-attention',
        because: 'the workflow was terminated',
        closedAt: expect.any(String),
        lease: 'orphaned',
        left: [{ step: 'first', at: expect.any(String), outcome: null }],
        safe: true,
        unsafe: null,
        command,
      },
    ],
    objects: [
      { database: 'orders', kind: 'slot', name: tagOf(run), region: null, run, owner: 'closed', command },
      { database: 'orders', kind: 'slot', name: stranger, region: null, run: null, owner: 'unknown', command: slot.byHand },
    ],
    kept: [],
    unseen: [{ database: 'orders', because: 'the file is not there' }],
  });
});

test('an open run’s things are its own business, and what nobody’s name is on is the holder’s', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  const schema = { database: 'orders', kind: 'schema', name: 'steadyhand', tag: null, byHand: 'DROP SCHEMA …' } as const;
  api.tagged = [{ ...schema, kind: 'slot', name: tagOf(run), tag: tagOf(run) }, schema];
  expect((await look(api)).objects).toMatchObject([{ kind: 'schema', owner: 'unknown', command: 'DROP SCHEMA …' }]);
  await api.control.lease.take('orders', run, async () => await Promise.resolve(true));
  expect((await look(api)).objects).toEqual([]);
});

/** Something of a run at a provider, as a look there tells it. */
function owned(run: string, about: Partial<OwnedObject> = {}): OwnedObject {
  const name = tagOf(run).replace('_', '-');
  const at = { kind: 'snapshot', name, region: 'eu-central-1', status: 'available', since: '2026-11-01T00:00:00.000Z' } as const;
  return { ...at, identity: `arn:${run}:${name}`, run, step: 'first', removeAfter: null, byHand: `aws remove ${name}`, ...about };
}

async function succeeded(api: ApiTest): Promise<string> {
  const { run } = await api.run();
  await api.control.runs.close(run, { outcome: 'succeeded', left: [], free: true });
  return run;
}

const keeping = { rehearsal: { ...rehearsal, keeps: () => ({ first: 'a backup' }) } };

test('what stands at a provider is an open run’s, kept on purpose, left, or nobody’s, and each is told once', async () => {
  const api = await place.begin(keeping);
  const { run: terminated, id } = await leftBehind(api);
  const { run: open } = await api.run();
  const kept = await succeeded(api);
  const stranger = 'rehearsal/orders/01KAJ0V5Z8Q4W9T2B7C6D5E4F3';
  const old = owned(kept, { kind: 'instance', name: 'orders-old', identity: 'old', step: 'rename', removeAfter: '2026-11-28' });
  const last = owned(kept, { name: 'x-last', identity: 'last', run: kept.split('/').at(-1) ?? '', step: null });
  const other = owned(kept, { identity: 'other', step: 'second' });
  const forgotten = owned(kept, { kind: 'instance', name: 'drill', identity: 'drill', step: 'second' });
  api.owned = [owned(terminated), owned(terminated), owned(open), owned(kept), old, last, other, forgotten, owned(stranger)];
  const { objects, kept: told } = await look(api);
  const at = { database: 'orders', region: 'eu-central-1' };
  const command = `steadyhand janitor --remove ${id} --reason '…'`;
  expect(objects).toEqual([
    { ...at, kind: 'snapshot', name: owned(terminated).name, run: terminated, owner: 'closed', command },
    { ...at, kind: 'instance', name: 'drill', run: kept, owner: 'closed', command: forgotten.byHand },
    { ...at, kind: 'snapshot', name: owned(stranger).name, run: stranger, owner: 'unknown', command: null },
  ]);
  expect(told).toMatchObject([
    { ...at, run: kept, what: 'a backup', due: null, since: '2026-11-01T00:00:00.000Z', command: owned(kept).byHand },
    { name: 'orders-old', due: '2026-11-28', command: 'steadyhand start remove-old orders -i instance=orders-old' },
    { name: 'x-last', run: kept, what: 'the last snapshot of an instance that was removed', command: last.byHand },
    { name: other.name, what: 'made by its step second' },
  ]);
});

test('a run that ended after its step without return had begun keeps what it was to keep, and only that', async () => {
  const api = await place.begin({
    rehearsal: {
      ...keeping.rehearsal,
      steps: { ...rehearsal.steps, first: { kind: 'change', title: 'Make the first', pointOfNoReturn: true } },
    },
  });
  const { run } = await leftBehind(api);
  const other = owned(run, { identity: 'other', step: 'second' });
  api.owned = [owned(run), other];
  const { objects, kept } = await look(api);
  expect(kept).toMatchObject([{ run, what: 'a backup', command: owned(run).byHand }]);
  expect(objects).toMatchObject([{ run, owner: 'closed', command: other.byHand }]);
});

test('a run that did not succeed keeps nothing, and what serves under the inventory’s name is not told', async () => {
  const api = await place.begin(keeping);
  const kept = await succeeded(api);
  const { run, id } = await api.run();
  await api.control.runs.close(run, { outcome: 'rolled-back', left: [], free: true });
  api.inventory = parseInventory(atAws, 'steadyhand.yaml');
  const serving = owned(kept, { kind: 'instance', name: 'orders', step: 'second' });
  api.owned = [serving, owned(run), { ...serving, region: 'eu-west-1', identity: 'another' }, { ...serving, run, identity: 'third' }];
  const { objects, kept: told } = await look(api);
  expect(objects.map(({ name, region, command }) => [name, region, command])).toEqual([
    [owned(run).name, 'eu-central-1', owned(run).byHand],
    ['orders', 'eu-west-1', serving.byHand],
    // In use, whoever made it: nothing says how to remove it.
    ['orders', 'eu-central-1', `steadyhand show ${id}`],
  ]);
  expect(told).toEqual([]);
});

test('only operators have something removed, with a reason, and only what a run has left that is over', async () => {
  const api = await place.begin();
  const { run, id } = await leftBehind(api);
  const remove = async (as: string, of: string, body: unknown = { reason: 'OPS-7' }): ReturnType<ApiTest['call']> =>
    await api.call('POST', `/v1/janitor/${of}`, { as, body });
  expect(problemIn(await remove('ada', id)).code).toBe('forbidden');
  expect(problemIn(await remove('grace', id, {})).code).toBe('body-invalid');
  const open = await api.run();
  expect(problemIn(await remove('grace', open.id)).code).toBe('conflict');
  expect(api.temporal.cleared).toEqual([]);
  const answer = await remove('grace', id);
  expect(answer.status).toBe(202);
  const { asked } = z.object({ asked: z.int() }).parse(answer.body);
  expect(api.temporal.cleared).toEqual([{ run, asked }]);
  expect(await api.control.events.list({ run, kind: 'janitor.asked', limit: 5 })).toMatchObject([
    { seq: asked, actor: { name: 'grace' }, data: { reason: 'OPS-7' } },
  ]);
});

test('past the point of no return nothing is removed, and the reason is told', async () => {
  const api = await place.begin();
  const { run, id } = await leftBehind(api);
  const client = api.control.noReturn;
  await api.control.lease.take('orders', run, async () => await Promise.resolve(false));
  const at = { number: 1, attemptKey: `${run}/first/1`, run, database: 'orders' };
  await client.decide(run, at, 'forward', {});
  expect((await look(api)).runs).toMatchObject([
    { safe: false, unsafe: expect.stringContaining('serves'), command: `steadyhand show ${id}` },
  ]);
  const refused = await api.call('POST', `/v1/janitor/${id}`, { as: 'grace', body: { reason: 'r' } });
  expect(problemIn(refused)).toMatchObject({ code: 'conflict', detail: expect.stringContaining('serves') });
  expect(api.temporal.cleared).toEqual([]);
});

test('the command line lists leases and what is left, and tells what came of the removal', async () => {
  const api = await place.begin();
  const { run, id } = await leftBehind(api);
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' });
  const came = async (): Promise<void> => {
    const asked = api.temporal.cleared[0]?.asked ?? 0;
    const by = { kind: 'person', name: 'grace', channel: 'cli' } as const;
    await api.control.leftovers.cleared({ run, databases: ['orders'], asked, by, reason: 'OPS-7', left: [] });
  };
  const cli = cliTest({ environment: { STEADYHAND_API_URL: address, STEADYHAND_TOKEN: await api.tokenOf('grace') }, wait: came });
  const other = await succeeded(api);
  api.owned = [
    owned(other, {
      kind: 'instance',
      name: 'orders-old',
      identity: 'old',
      removeAfter: '2026-11-28',
      since: new Date(Date.now() - 3.5 * 86_400_000).toISOString(),
    }),
    owned('rehearsal/orders/01KAJ0V5Z8Q4W9T2B7C6D5E4F3', { kind: 'instance', name: 'theirs' }),
  ];
  const leases = await cli.run('lease', 'list');
  expect(leases.out).toMatch(new RegExp(`orders +orphaned +${run} .*the workflow was terminated; left: first`));
  const list = await cli.run('janitor');
  expect(list.out).toContain('first: was begun, and nobody knows how it ended');
  expect(list.out).toContain(`do       steadyhand janitor --remove ${id} --reason '…'`);
  expect(list.out).toContain(
    'instance theirs in eu-central-1  of rehearsal/orders/01KAJ0V5Z8Q4W9T2B7C6D5E4F3, which is no run that is known',
  );
  expect(list.out).toContain('do       ask whoever else runs Steadyhand there');
  expect(list.out).toMatch(/kept on purpose:\norders: instance orders-old in eu-central-1 .*before a switch, [34] days old, of rehearsal/);
  expect(list.out).toContain('  due 2026-11-28 steadyhand start remove-old orders -i instance=orders-old');
  api.owned = [];
  expect(await cli.run('janitor', '--remove', id)).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
  expect(await cli.run('janitor', '--remove', id, '--reason', 'OPS-7')).toMatchObject({
    code: 0,
    out: 'all of it is taken back; the lease is free\n',
  });
  expect((await cli.run('janitor')).out).toBe('nothing is left behind\n');
  expect(JSON.parse((await cli.run('lease', 'list', '--json')).out)).toMatchObject([{ database: 'orders', state: 'free', why: null }]);
});
