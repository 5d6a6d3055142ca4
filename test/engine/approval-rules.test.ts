import { describe, expect, test } from 'vitest';
import { ulid } from 'ulid';
import type { OpenQuestion } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Inventory } from '../../domain/inventory.ts';
import { sendDecision } from '../../temporal/send-decision.ts';
import { failureOf } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { enginePlace, type EngineOptions, type EngineTest } from './place.ts';
import { idOf, servePlace, type Api } from './serve.ts';

// Every rule as people meet it: by the API, with a real worker, Temporal and control database behind it.

const place = enginePlace();
const serve = servePlace();

/** A run of ada's that asks its first question. */
async function asking(options: EngineOptions = {}): Promise<{ engine: EngineTest; api: Api; run: string; question: OpenQuestion }> {
  const engine = await place.begin(options);
  const api = await serve.begin(engine);
  const run = await api.start('ada');
  const [question] = (await engine.asked(run, 'agree-first')).questions;
  if (!question) throw new Error('it asks nothing');
  return { engine, api, run, question };
}

const without = (inventory: Inventory, person: string, group: string): Inventory => ({
  ...inventory,
  people: inventory.people.map((one) => (one.name === person ? { ...one, groups: one.groups.filter((each) => each !== group) } : one)),
});

const twoOfDba = '{ quorum: [{ group: dba, count: 2 }] }';

test('R1: a double click is one decision', async () => {
  const { engine, api, run } = await asking();
  const [first, second] = await Promise.all([api.answer(run, 'grace', 'approve'), api.answer(run, 'grace', 'approve')]);
  expect(new Set([first.status, second.status])).toEqual(new Set([200, 409]));
  const { decisions, questions } = await engine.detail(run);
  expect(new Set(decisions.map((one) => one.counts))).toEqual(new Set([false, true]));
  expect(questions[0]?.agreements).toMatchObject([{ person: 'grace' }]);
});

test('R1: one click that is delivered twice is judged once', async () => {
  const { engine, run } = await asking();
  const message = await engine.click(run, 'grace', 'approve');
  await engine.client.workflow.getHandle(run).signal('decided', message);
  expect(await sendDecision(engine.client, run, message)).toMatchObject({ counts: true });
  expect(await engine.events(run, 'decision.judged')).toHaveLength(1);
});

test('R2: approve and reject together: the first one settles it, the other one is told', async () => {
  const { engine, api, run } = await asking({ rule: '{ quorum: [{ group: dba }] }' });
  const answers = await Promise.all([api.answer(run, 'grace', 'approve'), api.answer(run, 'edsger', 'reject')]);
  const [won, lost] = answers.toSorted((one, other) => one.status - other.status);
  expect([won?.status, lost?.status]).toEqual([200, 409]);
  expect(String(lost?.body['detail'])).toMatch(/not being asked|closed|going back|does not run any more/);
  const { decisions } = await engine.detail(run);
  expect(new Set(decisions.map((one) => one.counts))).toEqual(new Set([false, true]));
  const step = await eventually(async () => {
    const now = (await engine.detail(run)).steps.find((one) => one.id === 'agree-first');
    return now?.state === 'done' || now?.state === 'rejected' ? now : undefined;
  });
  expect(step.state).toBe(won?.body['settled'] === 'approve' ? 'done' : 'rejected');
});

test('R3: after its expiry nobody is heard: told so, and recorded', async () => {
  const { engine, api, run, question } = await asking({ deadline: '1s' });
  expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because: '"Agree to begin" was not decided in time' });
  const late = await api.answer(run, 'grace', 'approve', question);
  expect(late.status).toBe(409);
  const { decisions, steps } = await engine.detail(run);
  expect(decisions).toMatchObject([{ person: 'grace', choice: 'approve', counts: false }]);
  expect(steps.find((one) => one.id === 'agree-first')?.state).toBe('expired');
  expect(engine.world.effects).toEqual([]);
});

describe('R4: the requester never approves, by any account', () => {
  test.each(['ada', 'ada-admin', 'U0ADA'])('as %s', async (account) => {
    const { engine, api, run } = await asking({ rule: '{ quorum: [{ group: dba }] }' });
    const answer = await api.answer(run, account, 'approve');
    expect(answer.status).toBe(403);
    expect(String(answer.body['detail'])).toContain("ada asked for the run and can't approve it");
    // Also where the row itself names the account.
    expect(await engine.decide(run, account, 'approve')).toMatchObject({ counts: false });
  });

  test('asked for by another account', async () => {
    const engine = await place.begin({ rule: '{ quorum: [{ group: dba }] }' });
    const api = await serve.begin(engine);
    const run = await api.start('ada-admin');
    await engine.asked(run, 'agree-first');
    expect((await engine.detail(run)).requester).toBe('ada');
    expect((await api.answer(run, 'ada', 'approve')).status).toBe(403);
  });
});

test('R5: who has left the group since is refused, and what they said before stands for it no more', async () => {
  const { engine, api, run } = await asking({ rule: twoOfDba });
  expect((await api.answer(run, 'grace', 'approve')).body).toMatchObject({ counts: true, settled: null });
  engine.inventory = without(engine.inventory, 'grace', 'dba');
  expect((await api.answer(run, 'edsger', 'approve')).body).toMatchObject({ counts: true, settled: null });
  const again = await api.answer(run, 'grace', 'approve');
  expect(again.status).toBe(403);
  expect(String(again.body['detail'])).toContain('in none of the groups');
  expect((await engine.detail(run)).state).toBe('waiting');
});

describe('R7: one human counts once', () => {
  test('by two accounts', async () => {
    const { api, run } = await asking({ rule: twoOfDba });
    expect((await api.answer(run, 'grace', 'approve')).body).toMatchObject({ counts: true, settled: null });
    const second = await api.answer(run, 'grace-admin', 'approve');
    expect(second.status).toBe(409);
    expect(String(second.body['detail'])).toContain('grace has answered already');
    expect((await api.answer(run, 'edsger', 'approve')).body).toMatchObject({ settled: 'approve' });
  });

  test('by two that were taken for two people when they answered', async () => {
    const engine = await place.begin({ rule: '{ quorum: [{ group: dba, count: 3 }] }' });
    const merged = engine.inventory;
    const apart = merged.people.map((one) => ({ ...one, accounts: {} }));
    engine.inventory = { ...merged, people: [...apart, { name: 'grace-admin', groups: ['dba'], accounts: {} }] };
    const api = await serve.begin(engine);
    const run = await api.start('ada');
    await engine.asked(run, 'agree-first');
    for (const one of ['grace', 'grace-admin']) expect((await api.answer(run, one, 'approve')).body).toMatchObject({ counts: true });
    engine.inventory = merged;
    const third = await api.answer(run, 'edsger', 'approve');
    expect(third.body).toMatchObject({ counts: true, settled: null });
    expect(String(third.body['because'])).toContain('still needed: 1 of dba');
  });
});

test('R8: a service’s token does not answer, unless the policy lets it', async () => {
  const { engine, api, run } = await asking({ rule: twoOfDba });
  const refused = await api.answerAsService(run, 'grace', 'approve');
  expect(refused.status).toBe(403);
  expect(String(refused.body['detail'])).toContain('service');
  const policies = Object.fromEntries(
    Object.entries(engine.inventory.policies).map(([name, one]) => [name, { ...one, servicesAnswer: true }]),
  );
  engine.inventory = { ...engine.inventory, policies };
  expect((await api.answerAsService(run, 'grace', 'approve')).body).toMatchObject({ counts: true });
});

test('R9: a plan that has changed is asked again with the difference, and what was said about the old one counts no more', async () => {
  const { engine, api, run, question } = await asking();
  engine.world.facts = { binding: { shape: 'square' }, observed: { size: 1 } };
  await api.answer(run, 'grace', 'approve');
  await api.answer(run, 'linus', 'approve');
  const [again] = (await engine.asked(run, 'agree-first', 2)).questions;
  expect(again?.digest).not.toBe(question.digest);
  expect(again?.failure).toMatchObject({ code: 'conflict', facts: { changes: ['shape: round → square'] } });
  expect(again?.agreements).toEqual([]);
  const old = await api.answer(run, 'edsger', 'approve', question);
  expect(old.status).toBe(409);
  expect(engine.world.effects).toEqual([]);
  for (const one of ['grace', 'linus']) await api.answer(run, one, 'approve');
  await engine.asked(run, 'agree-last');
});

test('R10: while groups can not be looked up nothing counts and nothing is written; afterwards what was said is judged by the groups of then', async () => {
  const { engine, api, run } = await asking({ rule: '{ quorum: [{ group: dba }] }' });
  const real = engine.inventory;
  const token = await api.call('grace', 'GET', '/v1/runs');
  expect(token.status).toBe(200);
  const clicks = [await engine.click(run, 'grace', 'approve'), await engine.click(run, 'edsger', 'approve')];
  let down = true;
  Object.defineProperty(engine, 'inventory', {
    get: () => {
      if (down) throw new Failure('configuration-invalid', 'the groups can not be looked up');
      return without(real, 'grace', 'dba');
    },
  });
  expect((await api.answer(run, 'edsger', 'approve')).status).toBe(500);
  const [first, second] = clicks;
  if (!first || !second) throw new Error('nobody clicked');
  expect(await sendDecision(engine.client, run, first, 500)).toBeNull();
  const { decisions, state } = await engine.detail(run);
  expect({ state, counts: decisions.map((one) => one.counts) }).toEqual({ state: 'waiting', counts: [null, null] });
  down = false;
  expect(await sendDecision(engine.client, run, second)).toMatchObject({ counts: true, settled: 'approve' });
  const judged = (await engine.detail(run)).decisions;
  expect(Object.fromEntries(judged.map((one) => [one.person, one.counts]))).toEqual({ grace: false, edsger: true });
});

describe('R11: what was said to another run, or about another plan, counts nothing', () => {
  test('a decision of another run', async () => {
    const { engine, api, run } = await asking();
    const other = await api.start('ada', { input: { word: 'another' } });
    const [question] = (await engine.asked(other, 'agree-first')).questions;
    const message = await engine.click(other, 'grace', 'approve');
    await failureOf('conflict', sendDecision(engine.client, run, message));
    const mine = await engine.click(run, 'grace', 'approve');
    expect(await sendDecision(engine.client, run, { ...mine, decisionId: message.decisionId })).toMatchObject({
      counts: false,
      because: 'the message is not the decision that was recorded',
    });
    expect((await api.answer(run, 'linus', 'approve', question)).status).toBe(409);
    expect((await engine.detail(run)).questions[0]?.agreements).toEqual([]);
  });

  test('a row about another plan, behind a message about this one', async () => {
    const { engine, run, question } = await asking();
    const row = { id: ulid(), run, approval: question.approval, opening: question.opening, choice: 'approve', person: 'grace' } as const;
    await engine.control.questions.decide({ ...row, digest: 'e'.repeat(64), groups: ['dba'], channel: 'http' });
    const { approval, opening, digest } = question;
    expect(await sendDecision(engine.client, run, { approval, opening, digest, choice: 'approve', decisionId: row.id })).toMatchObject({
      counts: false,
      because: 'it was decided about another plan',
    });
  });
});

test('R13: worker and API restart between the question and the click', async () => {
  const { engine, run, question } = await asking({ rule: '{ quorum: [{ group: dba }] }' });
  await engine.stopWorkers();
  await serve.stop();
  await engine.startWorker();
  const api = await serve.begin(engine);
  // The old worker may still be asked first: then it is taken at once, and judged a little later.
  expect([200, 202]).toContain((await api.answer(run, 'grace', 'approve', question)).status);
  await engine.asked(run, 'agree-last');
  expect((await engine.detail(run)).decisions).toMatchObject([{ person: 'grace', choice: 'approve', counts: true }]);
});

test('R15: break-glass needs a reason and a second person, is told loudly, flagged for ever, and reviewed by somebody else', async () => {
  const engine = await place.begin();
  const api = await serve.begin(engine);
  await api.call('grace', 'POST', '/v1/freezes', { reason: 'the closing' });
  const body = { runbook: 'rehearsal', database: 'orders', input: { word: 'hello' } };
  expect((await api.call('ada', 'POST', '/v1/runs', body)).body).toMatchObject({ code: 'frozen' });
  expect((await api.call('ada', 'POST', '/v1/runs', { ...body, breakGlass: '' })).status).toBe(400);
  const run = await api.start('ada', { breakGlass: 'orders is down' });
  await engine.asked(run, 'agree-first');
  expect((await api.answer(run, 'ada-admin', 'approve')).status).toBe(403);
  expect((await api.answer(run, 'barbara', 'approve')).body).toMatchObject({ settled: 'approve' });
  await engine.asked(run, 'agree-last');
  expect((await api.answer(run, 'grace', 'approve')).body).toMatchObject({ settled: 'approve' });
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(await engine.events(run, 'break-glass.used')).toEqual([{ reason: 'orders is down' }]);
  const listed = async (): Promise<unknown> => (await api.call('linus', 'GET', '/v1/runs?breakGlass=not-reviewed')).body['runs'];
  expect(await listed()).toMatchObject([{ run, outcome: 'succeeded', breakGlass: { person: 'ada', reason: 'orders is down' } }]);
  const review = async (as: string): Promise<number> =>
    (await api.call(as, 'POST', `/v1/runs/${idOf(run)}/review`, { reason: 'looked at it' })).status;
  expect(await review('ada-admin')).toBe(403);
  expect(await review('grace')).toBe(200);
  expect(await listed()).toEqual([]);
  expect(await engine.detail(run)).toMatchObject({ breakGlass: { person: 'ada' }, review: { person: 'grace' } });
});
