import { ulid } from 'ulid';
import { expect, test } from 'vitest';
import { sendDecision } from '../../temporal/send-decision.ts';
import { failureOf } from '../control/support.ts';
import { enginePlace } from './place.ts';

const place = enginePlace();

test('the requester is refused, also as one of the quorum, and the refusal is recorded', async () => {
  const { request, asked, decide, detail } = await place.begin();
  const run = await request();
  await asked(run, 'agree-first');
  expect(await decide(run, 'ada', 'approve')).toMatchObject({ counts: false, because: "ada asked for the run and can't approve it" });
  expect((await detail(run)).decisions).toMatchObject([{ person: 'ada', counts: false }]);
});

test('one person counts once, an outsider not at all', async () => {
  const { request, asked, decide } = await place.begin();
  const run = await request();
  await asked(run, 'agree-first');
  expect(await decide(run, 'mallory', 'approve')).toMatchObject({ counts: false });
  expect(await decide(run, 'grace', 'approve')).toMatchObject({
    counts: true,
    settled: null,
    because: 'counted; still needed: 1 of owners (linus)',
  });
  expect(await decide(run, 'grace', 'approve')).toMatchObject({ counts: false, because: 'grace has answered already: approve' });
  expect(await decide(run, 'linus', 'approve')).toMatchObject({ counts: true, settled: 'approve' });
});

test('a reject before any change refuses the run, and nothing was made', async () => {
  const { request, asked, decide, result, detail, world, control } = await place.begin();
  const run = await request();
  await asked(run, 'agree-first');
  await decide(run, 'linus', 'reject', 'not tonight');
  expect(await result(run)).toMatchObject({ outcome: 'refused', because: 'linus rejected "Agree to begin": not tonight' });
  const steps = (await detail(run)).steps.filter((one) => one.state !== 'pending' && one.state !== 'absent');
  expect(steps.map(({ id, state, because }) => [id, state, because])).toEqual([
    ['look', 'done', null],
    ['agree-first', 'rejected', 'not tonight, by linus'],
  ]);
  expect(world.effects).toEqual([]);
  expect(await control.lease.find('orders')).toBeNull();
});

test('a reject after changes takes them back in reverse', async () => {
  const { request, agree, asked, decide, result, world, control } = await place.begin();
  const run = await request();
  await agree(run, 'agree-first');
  await asked(run, 'agree-last');
  await decide(run, 'grace', 'reject', 'the copy is too old');
  expect(await result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect(world.effects).toEqual(['+first', '+second', '-second', '-first']);
  expect((await control.lease.find('orders'))?.state).toBe('free');
});

test('an approval that nobody gives expires', async () => {
  const { request, result, detail, control } = await place.begin({ deadline: '300ms' });
  const run = await request();
  expect(await result(run)).toMatchObject({ outcome: 'refused', because: '"Agree to begin" was not decided in time' });
  expect(await detail(run)).toMatchObject({ questions: [], failure: null });
  expect((await detail(run)).steps.find((one) => one.id === 'agree-first')?.state).toBe('expired');
  expect((await control.events.list({ run, limit: 100 })).find((one) => one.kind === 'approval.closed')?.data).toMatchObject({
    answer: 'expired',
  });
});

test('when the facts change before the approval is given, it lapses and is asked again about the new plan', async () => {
  const { request, asked, decide, agree, result, world, client } = await place.begin();
  const run = await request();
  const first = await asked(run, 'agree-first');
  world.facts = { binding: { shape: 'square' }, observed: { size: 1 } };
  await decide(run, 'grace', 'approve');
  await decide(run, 'linus', 'approve');
  const second = await asked(run, 'agree-first', 2);
  const digest = first.questions[0]?.digest ?? '';
  expect(second.questions[0]?.digest).not.toBe(digest);
  const late = { approval: 'agree-first', opening: 1, digest, choice: 'approve', decisionId: ulid() } as const;
  await failureOf('conflict', sendDecision(client, run, late));
  await agree(run, 'agree-first');
  await agree(run, 'agree-last');
  expect(await result(run)).toEqual({ outcome: 'succeeded' });
});

test('observed facts that change do not touch the approval', async () => {
  const { request, asked, agree, world } = await place.begin();
  const run = await request();
  await asked(run, 'agree-first');
  world.facts = { binding: { shape: 'round' }, observed: { size: 2_000 } };
  await agree(run, 'agree-first');
  await asked(run, 'agree-last');
});

test('a message without a decision row counts nothing', async () => {
  const { request, asked, client } = await place.begin();
  const run = await request();
  const { questions } = await asked(run, 'agree-first');
  const forged = {
    approval: 'agree-first',
    opening: 1,
    digest: questions[0]?.digest ?? '',
    choice: 'approve',
    decisionId: ulid(),
  } as const;
  expect(await sendDecision(client, run, forged)).toMatchObject({ counts: false, because: 'the API has recorded no such decision' });
});

test('a Signal of the same shape ends in the same handler', async () => {
  const { request, asked, client, control, decide } = await place.begin();
  const run = await request();
  const { questions } = await asked(run, 'agree-first');
  const id = ulid();
  const digest = questions[0]?.digest ?? '';
  const row = {
    id,
    run,
    approval: 'agree-first',
    opening: 1,
    digest,
    choice: 'approve',
    person: 'grace',
    groups: ['dba'],
    channel: 'slack',
  } as const;
  await control.questions.decide(row);
  await client.workflow
    .getHandle(run)
    .signal('decided', { approval: 'agree-first', opening: 1, digest, choice: 'approve', decisionId: id });
  expect(await decide(run, 'linus', 'approve')).toMatchObject({ counts: true, settled: 'approve' });
});
