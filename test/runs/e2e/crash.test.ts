import { describe, expect, test } from 'vitest';
import { eventsSchema } from '../../../api/answers.ts';
import { runNameOf } from '../../../domain/run.ts';
import { judge } from '../../../sandbox/judge.ts';
import { eventually } from '../../support/eventually.ts';
import { holdTheCopy, movePlace, pooled, type Move } from '../../e2e/place.ts';

const place = movePlace();

/** All zeros, whoever died: what the clients were told is there, once, and on one side only. */
async function nothingIsLost(move: Move, run: string, writers: ReturnType<Move['load']>, viaPooler = pooled): Promise<void> {
  const closed = await move.until(run, (now) => now.state === 'closed');
  expect(closed).toMatchObject({
    outcome: 'succeeded',
    evidence: { compare: { tablesDiffering: 0, sequencesBehind: 0 }, retire: { lateWrites: 0 } },
  });
  const report = await writers.stop();
  const source = await move.connect('source');
  const verdict = await judge(report, await move.connect('target'), source);
  expect(verdict).toMatchObject({ lost: 0, ghost: 0, duplicated: 0, torn: 0, sequencesBehind: [], oldSideWritesAfterFence: 0 });
  expect(report.unresolved).toBe(0);
  expect(report.longestWriteGapMs).toBeLessThan(5_000);
  if (viaPooler) expect(report.clientErrors).toEqual({});
  const [fence] = (
    await source.query<{ limit: number }>('SELECT datconnlimit AS limit FROM pg_database WHERE datname = current_database()')
  ).rows;
  expect(fence).toEqual({ limit: 0 });
}

test('a worker that was frozen (SIGSTOP) between intent and act wakes up when another has done the step: it makes nothing, and says so', async () => {
  const move = await place.begin({ workers: 2 });
  const run = await move.request();
  await move.until(run, (now) => now.questions.length > 0);
  let id: string | undefined;
  const madeByAnother = (step: { kind: string; state: string; attempt: number }): boolean =>
    step.kind === 'change' && step.state === 'done' && step.attempt > 1;
  const woken = move.taps.control.set({
    statement: /intend_attempt/,
    when: 'answered',
    spring: async () => {
      const { wake } = await move.freezeTheWorker(run);
      try {
        id = (await move.until(run, (now) => now.steps.some(madeByAnother), 60_000)).steps.find(madeByAnother)?.id;
      } finally {
        wake();
      }
    },
  });
  await move.agree(run, 'approve-prepare');
  await woken;
  await move.until(run, (now) => now.steps.some((step) => step.id === id && step.superseded > 0));
  const { events } = await move.as('ada').get(`/v1/runs/${runNameOf(run).id}/events?limit=500`, eventsSchema);
  const ofStep = (kind: string): typeof events => events.filter((event) => event.kind === kind && event.data['step'] === id);
  const settled = ofStep('attempt.settled');
  // One attempt made it, and none of those that gave way, of which the frozen worker may have had several.
  const gone = ofStep('attempt.superseded').map((event) => event.data['number']);
  expect(gone).toContain(1);
  expect(settled.map((event) => event.data['number']).filter((number) => gone.includes(number))).toEqual([]);
  expect(settled.map((event) => event.data['outcome']).filter((outcome) => outcome === 'made')).toHaveLength(1);
  await move.agree(run, 'approve-switch');
  expect(await move.until(run, (now) => now.state === 'closed', 60_000)).toMatchObject({ outcome: 'succeeded' });
});

describe('the worker is killed (SIGKILL) and another one goes on', () => {
  test('in the copy', async () => {
    const move = await place.begin({ workers: 2 });
    const writers = move.load();
    const held = holdTheCopy(move);
    const run = await move.request();
    await move.agree(run, 'approve-prepare');
    await move.until(run, (now) => now.steps.some((step) => step.id === 'initial-copy' && step.progress !== null));
    await eventually(async () => {
      await move.killTheWorker(run);
      return true;
    });
    held.letGo();
    await move.agree(run, 'approve-switch');
    await nothingIsLost(move, run, writers);
  });

  test('while people think about an approval', async () => {
    const move = await place.begin();
    const writers = move.load();
    const run = await move.request();
    const [first] = [await move.until(run, (now) => now.questions.length > 0)];
    expect(first.state).toBe('waiting');
    await move.endWorkers('SIGKILL');
    const answers = Promise.all([move.decide(run, 'grace', 'approve'), move.decide(run, 'linus', 'approve')]);
    await move.worker();
    await answers;
    await move.agree(run, 'approve-switch');
    await nothingIsLost(move, run, writers);
  });

  test.each([
    ['when it has the lease', /take_lease/],
    ['when the question is closed', /close_question/],
  ])('while an approval is confirmed, %s: it stands, and nobody is asked again', async (_, statement) => {
    const move = await place.begin();
    const run = await move.request();
    await move.until(run, (now) => now.questions.length > 0);
    const killed = move.taps.control.set({
      statement,
      when: 'answered',
      spring: async () => {
        await move.endWorkers('SIGKILL');
        await move.worker();
      },
    });
    await move.agree(run, 'approve-prepare');
    await killed;
    await move.agree(run, 'approve-switch');
    expect(await move.until(run, (now) => now.state === 'closed', 60_000)).toMatchObject({ outcome: 'succeeded' });
    const { events } = await move.as('ada').get(`/v1/runs/${runNameOf(run).id}/events?limit=500`, eventsSchema);
    const of = (kind: string): unknown[] => events.filter((event) => event.kind === kind).map((event) => event.data['approval']);
    expect(of('approval.opened')).toEqual(['approve-prepare', 'approve-switch']);
    expect(of('approval.closed')).toEqual(['approve-prepare', 'approve-switch']);
  });

  const points = {
    'when the traffic is held': { tap: pooled ? 'pooler' : 'source', statement: pooled ? /PAUSE/ : /CONNECTION LIMIT 0/ },
    'after the sequences': { tap: 'target', statement: /setval/ },
    'after "no return"': { tap: 'control', statement: /decide_no_return/ },
    'after the new side was opened to traffic': { tap: pooled ? 'pooler' : 'target', statement: pooled ? /RELOAD/ : /CONNECTION LIMIT -1/ },
  } as const;

  test.each(Object.entries(points))('in the switch, %s', async (_, point) => {
    const move = await place.begin({ workers: 2 });
    const writers = move.load();
    const run = await move.request();
    await move.agree(run, 'approve-prepare');
    await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'));
    const killed = move.taps[point.tap].set({
      statement: point.statement,
      when: 'answered',
      spring: async () => await move.killTheWorker(run),
    });
    await move.agree(run, 'approve-switch');
    await killed;
    await nothingIsLost(move, run, writers);
    const step = (await move.detail(run)).steps.find((one) => one.id === 'switch');
    expect(step?.attempt).toBeGreaterThan(1);
  });

  test('in the switch, after "no return", without a pooler: the next worker lets the clients in', async () => {
    const move = await place.begin({ workers: 2, pooler: false });
    const writers = move.load();
    const run = await move.request();
    await move.agree(run, 'approve-prepare');
    await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'));
    const { statement } = points['after "no return"'];
    const killed = move.taps.control.set({ statement, when: 'answered', spring: async () => await move.killTheWorker(run) });
    await move.agree(run, 'approve-switch');
    await killed;
    await nothingIsLost(move, run, writers, false);
  });
});
