import { expect, test } from 'vitest';
import type { OpenQuestion } from '../../control/contract.ts';
import { eventually } from '../support/eventually.ts';
import { enginePlace, type EngineTest } from './place.ts';
import { resetBefore } from './reset-before.ts';

const place = enginePlace();
const oneOfEach = 'quorum: [{ group: dba }, { group: owners }]';

async function question(engine: EngineTest, run: string): Promise<OpenQuestion> {
  const open = (await engine.asked(run, 'agree-first')).questions[0];
  if (!open) throw new Error('nothing is asked');
  return open;
}

const happened = async (engine: EngineTest, run: string, times: number): Promise<OpenQuestion> =>
  await eventually(async () => {
    const now = await question(engine, run);
    return now.chain.filter((one) => one.done !== null).length === times ? now : undefined;
  });

test('who has approved may take it back while the question is open, and the quorum is counted anew', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  expect(await engine.decide(run, 'linus', 'withdraw')).toMatchObject({
    counts: false,
    because: 'linus has given no answer that could be taken back',
  });
  await engine.decide(run, 'grace', 'approve');
  expect(await engine.decide(run, 'grace', 'withdraw', 'not before noon')).toMatchObject({
    counts: true,
    settled: null,
    because: 'taken back; still needed: 1 of dba (grace, edsger) and 1 of owners (linus)',
  });
  expect((await question(engine, run)).agreements).toEqual([]);
  expect(await engine.decide(run, 'linus', 'approve')).toMatchObject({ settled: null });
  expect(await engine.decide(run, 'grace', 'approve')).toMatchObject({ settled: 'approve' });
  expect((await engine.events(run, 'decision.made')).map((one) => one['choice'])).toEqual([
    'withdraw',
    'approve',
    'withdraw',
    'approve',
    'approve',
  ]);
});

test('people are reminded and others may answer later, once, whatever is reset or dies meanwhile', async () => {
  const chain = 'remind: [200ms], escalate: [{ after: 3s, to: [second-line] }]';
  const engine = await place.begin({ rule: `{ ${oneOfEach}, ${chain} }` });
  const run = await engine.request();
  const asked = await happened(engine, run, 1);
  expect(await engine.decide(run, 'barbara', 'approve')).toMatchObject({ counts: false });
  await resetBefore(engine, run, 'engine.ask');
  await engine.stopWorkers();
  const later = Date.parse(asked.chain[1]?.at ?? '');
  await eventually(async () => await Promise.resolve(Date.now() > later || undefined));
  await engine.startWorker();
  const escalated = await happened(engine, run, 2);
  expect(escalated).toMatchObject({ opening: 1, openedAt: asked.openedAt, deadline: asked.deadline });
  expect(escalated.quorum).toEqual([
    { group: 'dba', count: 1, or: ['second-line'] },
    { group: 'owners', count: 1, or: ['second-line'] },
  ]);
  expect(await engine.events(run, 'approval.reminded')).toMatchObject([
    { approval: 'agree-first', opening: 1, stillNeeded: '1 of dba and 1 of owners' },
  ]);
  expect(await engine.events(run, 'approval.escalated')).toMatchObject([
    { stillNeeded: '1 of dba or second-line and 1 of owners or second-line' },
  ]);
  expect(await engine.decide(run, 'grace', 'approve')).toMatchObject({ settled: null });
  expect(await engine.decide(run, 'barbara', 'approve')).toMatchObject({ settled: 'approve' });
});

test('when less is asked for from some time on, what was said before may be enough', async () => {
  const engine = await place.begin({ rule: `{ ${oneOfEach}, escalate: [{ after: 2s, quorum: [{ group: dba }] }] }` });
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await engine.decide(run, 'grace', 'approve');
  await engine.asked(run, 'agree-last');
  expect((await engine.detail(run)).steps.find((one) => one.id === 'agree-first')).toMatchObject({
    state: 'done',
    because: 'decided: approve, by grace',
  });
});

test('after all reminders it expires', async () => {
  const engine = await place.begin({ rule: `{ ${oneOfEach}, remind: [100ms, 200ms], deadline: 500ms }` });
  const run = await engine.request();
  expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because: '"Agree to begin" was not decided in time' });
  expect(await engine.events(run, 'approval.reminded')).toHaveLength(2);
});
