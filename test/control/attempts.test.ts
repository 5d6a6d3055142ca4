import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { digestOf } from '../../domain/digest.ts';
import { anna, aRun, controlPlace, failureOf, kindsOf } from './support.ts';

const place = controlPlace();
let control: Control;
let run: string;
beforeEach(async () => {
  ({ control } = await place.emptied(20));
  run = await aRun(control);
  await control.lease.take('orders', run, async () => true);
  await control.runs.planned(run, { digest: 'd', steps: [{ id: 'publish', kind: 'change', title: 'Publish', applies: true }] });
});

const key = (undo = false, generation = 1): string => `${run}/publish/${generation}${undo ? '/undo' : ''}`;
const claim = (undo = false, generation = 1) =>
  control.attempts.claim({ key: key(undo, generation), run, step: 'publish', generation, undo });
const intend = (number: number, before: Record<string, unknown> = {}, undo = false) =>
  control.attempts.intend({ key: key(undo), number, run, step: 'publish', database: 'orders', before });
const settle = (number: number, outcome: string, undo = false) =>
  control.attempts.settle({ key: key(undo), number, run, step: 'publish' }, outcome);
const current = (number: number) => control.attempts.current({ key: key(), number, run, database: 'orders' });
const step = async () => (await control.runs.detail(run))?.steps[0];
const kinds = async (): Promise<string[]> => (await kindsOf(control, run)).filter((kind) => kind.startsWith('attempt.'));

describe('the leases of all databases that a run changes', () => {
  const another = async (): Promise<string> => await aRun(control, { database: 'orders-18' });
  const lost = async (): Promise<void> => {
    await control.lease.take('orders-18', run, async () => true);
    await claim();
    await current(1);
    await control.lease.take('orders-18', await another(), async () => false);
  };

  it('are looked at before each irreversible call, and by an intent', async () => {
    await lost();
    const failure = await failureOf('lease-lost', current(1));
    expect(failure.message).toContain(`${run} does not hold the lease of orders-18: it is held, last taken by`);
    expect((await failureOf('lease-lost', intend(1))).facts).toMatchObject({ database: 'orders-18' });
    expect(await kinds()).toEqual([]);
  });

  it('are needed to go forward without return, not to go back', async () => {
    await lost();
    const attempt = { attemptKey: key(), number: 1, run, database: 'orders' };
    expect((await failureOf('lease-lost', control.noReturn.decide(run, attempt, 'forward', {}))).facts).toMatchObject({
      database: 'orders-18',
    });
    expect(await control.noReturn.decide(run, attempt, 'back', {})).toBe('back');
  });

  it('count when they were taken: a database that is only named needs none', async () => {
    run = await aRun(control, { database: 'ledger', others: ['orders-18'] });
    await control.lease.take('ledger', run, async () => true);
    const { number } = await claim();
    const at = { key: key(), number, run, step: 'publish', database: 'ledger' };
    await control.attempts.current(at);
    expect(await control.attempts.intend({ ...at, before: {} })).toEqual({});
  });
});

describe('claiming', () => {
  it('numbers the attempts of a key and marks the step, without an event', async () => {
    expect(await claim()).toEqual({ number: 1, intended: null });
    const { startedAt, ...first } = (await step()) ?? {};
    expect(first).toMatchObject({ state: 'running', attempt: 1, generation: 1, finishedAt: null });
    expect(await claim()).toEqual({ number: 2, intended: null });
    expect(await step()).toMatchObject({ state: 'running', attempt: 2, startedAt });
    expect(await claim(true)).toEqual({ number: 1, intended: null });
    expect(await step()).toMatchObject({ state: 'undoing', attempt: 1, startedAt });
    expect(await claim(false, 2)).toEqual({ number: 1, intended: null });
    expect(await step()).toMatchObject({ state: 'running', generation: 2 });
    expect(await kinds()).toEqual([]);
  });

  it('gives 20 at the same time 20 numbers', async () => {
    const numbers = (await Promise.all(Array.from({ length: 20 }, () => claim()))).map((one) => one.number);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('of a step that the plan does not have works too', async () => {
    const other = { key: `${run}/tidy/1`, run, step: 'tidy', generation: 1, undo: false };
    expect(await control.attempts.claim(other)).toEqual({ number: 1, intended: null });
  });

  it('leaves the step of a closed run as it was', async () => {
    await control.runs.close(run, { outcome: 'aborted', free: false });
    expect(await claim()).toEqual({ number: 1, intended: null });
    expect(await step()).toMatchObject({ state: 'pending' });
  });

  it('tells a later attempt and the undo what was intended', async () => {
    await claim();
    await intend(1, { limit: -1, deep: { list: [1, null, 'é'] } });
    const intended = { limit: -1, deep: { list: [1, null, 'é'] } };
    expect(await claim()).toEqual({ number: 2, intended });
    expect(await claim(true)).toEqual({ number: 1, intended });
    expect(await claim(false, 2)).toEqual({ number: 1, intended: null });
  });
});

describe('the fence', () => {
  it('lets only the newest attempt go on', async () => {
    await claim();
    await current(1);
    await claim();
    const failure = await failureOf('superseded', current(1));
    expect(failure.facts).toEqual({ key: key(), number: 1, newest: 2 });
    await failureOf('superseded', intend(1));
    await failureOf('superseded', current(3));
    await current(2);
    expect(await kinds()).toEqual([]);
  });

  it('stops a run that does not hold the lease', async () => {
    await claim();
    await control.lease.release('orders', anna, 'test', async () => false);
    await failureOf('lease-lost', current(1));
    const failure = await failureOf('lease-lost', intend(1));
    expect(failure.facts).toEqual({ database: 'orders', holder: run, state: 'free' });
    await control.lease.take('orders', await aRun(control), async () => true);
    await failureOf('lease-lost', intend(1));
    await failureOf(
      'lease-lost',
      control.attempts.intend({ key: key(), number: 1, run, step: 'publish', database: 'never-taken', before: {} }),
    );
    expect(await control.attempts.journal(run)).toEqual([]);
    expect(await kinds()).toEqual([]);
  });
});

describe('intents', () => {
  it('keep the first before-image', async () => {
    await claim();
    expect(await intend(1, { limit: -1 })).toEqual({ limit: -1 });
    await claim();
    expect(await intend(2, { limit: 0 })).toEqual({ limit: -1 });
    expect(await control.attempts.journal(run)).toMatchObject([{ key: key(), run, step: 'publish', before: { limit: -1 }, outcome: null }]);
    const events = (await control.events.list({ run, limit: 20 })).filter((event) => event.kind === 'attempt.intended');
    expect(events.map((event) => event.data)).toEqual([
      { key: key(), step: 'publish', number: 1, database: 'orders', before: digestOf({ limit: -1 }) },
      { key: key(), step: 'publish', number: 2, database: 'orders', before: digestOf({ limit: 0 }) },
    ]);
  });

  it('written again by the same attempt make no second event', async () => {
    await claim();
    await intend(1, { limit: -1 });
    expect(await intend(1, { limit: 7 })).toEqual({ limit: -1 });
    expect(await kinds()).toEqual(['attempt.intended']);
  });
});

describe('outcomes', () => {
  it('are written once; an adopted one stands beside the made one in the audit', async () => {
    await claim();
    await intend(1);
    await settle(1, 'made');
    await settle(1, 'made');
    await claim();
    await settle(2, 'adopted');
    expect(await control.attempts.journal(run)).toMatchObject([{ outcome: 'adopted' }]);
    expect(await kinds()).toEqual(['attempt.intended', 'attempt.settled', 'attempt.settled']);
  });

  it('of an older attempt count only when there is none yet', async () => {
    await claim();
    await intend(1);
    await claim();
    await settle(1, 'made');
    expect(await control.attempts.journal(run)).toMatchObject([{ outcome: 'made' }]);
    await settle(2, 'adopted');
    await settle(1, 'made');
    expect(await control.attempts.journal(run)).toMatchObject([{ outcome: 'adopted' }]);
  });

  it('need a claim', async () => {
    await failureOf('internal', settle(1, 'made'));
  });
});

describe('what is left', () => {
  const left = async (): Promise<string[]> => (await control.attempts.unsettled(run)).map((intent) => intent.key);

  it('are intents, made or open, that were not undone', async () => {
    await claim();
    expect(await left()).toEqual([]);
    await intend(1);
    expect(await left()).toEqual([key()]);
    await settle(1, 'made');
    expect(await left()).toEqual([key()]);
    await claim(true);
    await intend(1, {}, true);
    expect(await left()).toEqual([key()]);
    await settle(1, 'undone', true);
    expect(await left()).toEqual([]);
    expect((await control.attempts.journal(run)).map((intent) => [intent.key, intent.outcome])).toEqual([
      [key(), 'made'],
      [key(true), 'undone'],
    ]);
  });

  it('is nothing after a success', async () => {
    await claim();
    await intend(1);
    await settle(1, 'made');
    await control.runs.close(run, { outcome: 'succeeded', free: true });
    expect(await left()).toEqual([]);
  });
});

describe('the end of a step', () => {
  it('ends it with what it proved, which stands however often it is delivered; events when there is news', async () => {
    const finish = await begun();
    const { length } = await kindsOf(control, run);
    await finish({ pauseMs: 17, rows: 3 });
    await finish({ pauseMs: 90_000, lost: 0 });
    await finish({ rows: 4 });
    await finish();
    expect((await control.runs.detail(run))?.evidence).toEqual({ lost: 0, pauseMs: 17, rows: 3 });
    expect((await step())?.state).toBe('done');
    const kinds = (await kindsOf(control, run)).slice(length);
    expect(kinds).toEqual(['evidence.recorded', 'step.done', 'evidence.recorded']);
  });

  it('proves anew what was started again', async () => {
    const first = await begun();
    await first({ pauseMs: 17 });
    const again = await begun(2);
    await again({ pauseMs: 23 });
    expect((await control.runs.detail(run))?.evidence).toEqual({ pauseMs: 23 });
  });

  it('is not done by an attempt that has given way, whatever it has proved', async () => {
    const finish = await begun();
    const kindsBefore = await kindsOf(control, run);
    await begun();
    await failureOf('superseded', finish({ rows: 3 }));
    expect((await control.runs.detail(run))?.evidence).toEqual({});
    expect((await step())?.state).toBe('running');
    expect(await kindsOf(control, run)).toEqual(kindsBefore);
  });

  async function begun(generation = 1): Promise<(evidence?: Record<string, unknown>) => Promise<void>> {
    const { number } = await claim(false, generation);
    const done = { id: 'publish', state: 'done', generation } as const;
    return (evidence) => control.runs.finish(run, { key: key(false, generation), number, step: done, ...(evidence ? { evidence } : {}) });
  }
});
