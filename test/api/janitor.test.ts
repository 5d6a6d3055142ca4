import { expect, test } from 'vitest';
import { z } from 'zod';
import { janitorSchema } from '../../api/janitor-answers.ts';
import { digestOf } from '../../domain/digest.ts';
import { tagOf } from '../../domain/run.ts';
import { cliTest } from '../cli/place.ts';
import { apiPlace, aPlan, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();
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
      { database: 'orders', kind: 'slot', name: tagOf(run), run, owner: 'closed', command },
      { database: 'orders', kind: 'slot', name: stranger, run: null, owner: 'unknown', command: slot.byHand },
    ],
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
  const leases = await cli.run('lease', 'list');
  expect(leases.out).toMatch(new RegExp(`orders +orphaned +${run} .*the workflow was terminated; left: first`));
  const list = await cli.run('janitor');
  expect(list.out).toContain('first: was begun, and nobody knows how it ended');
  expect(list.out).toContain(`do       steadyhand janitor --remove ${id} --reason '…'`);
  expect(await cli.run('janitor', '--remove', id)).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
  expect(await cli.run('janitor', '--remove', id, '--reason', 'OPS-7')).toMatchObject({
    code: 0,
    out: 'all of it is taken back; the lease is free\n',
  });
  expect((await cli.run('janitor')).out).toBe('nothing is left behind\n');
  expect(JSON.parse((await cli.run('lease', 'list', '--json')).out)).toMatchObject([{ database: 'orders', state: 'free', why: null }]);
});
