import { ulid } from 'ulid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { Failure, reportOf } from '../../domain/failure.ts';
import { anna, aRun, controlPlace, failureOf, kindsOf } from './support.ts';

const place = controlPlace();
let control: Control;
let database: string;
let run: string;
beforeEach(async () => {
  ({ control, database } = await place.emptied());
  run = await aRun(control);
});

const steps = [
  { id: 'preflight', kind: 'check', title: 'Look at both sides', applies: true },
  { id: 'approve', kind: 'approval', title: 'Ask', applies: true },
  { id: 'copy-schema', kind: 'change', title: 'Copy the schema', applies: false, because: 'it is there already' },
  { id: 'switch', kind: 'change', title: 'Switch', applies: true },
];
const failure = reportOf(new Failure('source-busy', 'orders is too busy', { longest: 12 }));
const rowsOf = async (): Promise<Record<string, unknown>> =>
  Object.fromEntries(((await control.runs.detail(run))?.steps ?? []).map((step) => [step.id, step.state]));

describe('the plan of a run', () => {
  it('makes its step rows, absent ones too', async () => {
    await control.runs.planned(run, { digest: 'd1', steps });
    const detail = await control.runs.detail(run);
    expect(detail).toMatchObject({ plan: 'd1', evidence: {}, questions: [], decisions: [] });
    expect(detail?.steps.map(({ id, position, state, because }) => ({ id, position, state, because }))).toEqual([
      { id: 'preflight', position: 1, state: 'pending', because: null },
      { id: 'approve', position: 2, state: 'pending', because: null },
      { id: 'copy-schema', position: 3, state: 'absent', because: 'it is there already' },
      { id: 'switch', position: 4, state: 'pending', because: null },
    ]);
  });

  it('made again keeps the rows of steps that have begun', async () => {
    await control.runs.planned(run, { digest: 'd1', steps });
    await control.runs.planned(run, { digest: 'd1', steps });
    await control.runs.change(run, { steps: [{ id: 'preflight', state: 'done', generation: 1 }] });
    const remaining = steps.slice(1).map((step) => (step.id === 'copy-schema' ? { ...step, applies: true, because: undefined } : step));
    await control.runs.planned(run, {
      digest: 'd2',
      steps: remaining.map(({ because, ...step }) => (because === undefined ? step : { ...step, because })),
    });
    expect(await rowsOf()).toEqual({ preflight: 'done', approve: 'pending', 'copy-schema': 'pending', switch: 'pending' });
    expect((await control.runs.detail(run))?.steps.map((step) => step.position)).toEqual([1, 2, 3, 4]);
    expect(await kindsOf(control, run)).toEqual(['run.requested', 'run.planned', 'step.done', 'run.planned']);
  });

  it('made again waits for nobody: it locks no row', async () => {
    await control.runs.planned(run, { digest: 'd1', steps });
    const other = await place.client(database);
    await other.query('BEGIN');
    await other.query('SELECT FROM steadyhand.runs WHERE run = $1 FOR UPDATE', [run]);
    await control.runs.planned(run, { digest: 'd1', steps });
    expect(await kindsOf(control, run)).toEqual(['run.requested', 'run.planned']);
    await other.query('ROLLBACK');
    await control.runs.planned(run, { digest: 'd1', steps, change: { state: 'running' } });
    expect(await control.runs.find(run)).toMatchObject({ state: 'running' });
  });

  it('needs a run', async () => {
    await failureOf('not-found', control.runs.planned(`x/y/${ulid()}`, { digest: 'd1', steps }));
  });
});

describe('a change of a run', () => {
  beforeEach(async () => {
    await control.runs.planned(run, { digest: 'd1', steps });
  });

  it('moves state and steps together, one event each, and once only', async () => {
    const change = { state: 'running', steps: [{ id: 'preflight', state: 'running', generation: 1 }] } as const;
    await control.runs.change(run, change);
    await control.runs.change(run, change);
    expect(await control.runs.find(run)).toMatchObject({ state: 'running' });
    expect(await rowsOf()).toMatchObject({ preflight: 'running' });
    expect((await kindsOf(control, run)).slice(2)).toEqual(['step.running', 'run.state']);
    const events = await control.events.list({ run, limit: 9 });
    expect(events[2]?.data).toMatchObject({ step: 'preflight', state: 'running', generation: 1 });
  });

  it('keeps the failure with run and step, until it is cleared', async () => {
    const failed = { id: 'switch', state: 'failed', generation: 1, failure } as const;
    await control.runs.change(run, { state: 'parked', failure, steps: [failed] });
    expect(await control.runs.detail(run)).toMatchObject({ state: 'parked', failure, steps: [{}, {}, {}, { state: 'failed', failure }] });
    await control.runs.change(run, { state: 'running' });
    expect(await control.runs.find(run)).toMatchObject({ state: 'running', failure });
    await control.runs.change(run, { failure: null });
    expect(await control.runs.find(run)).toMatchObject({ failure: null });
  });

  it('records the second failure of a step that was tried again', async () => {
    const attempt = { key: `${run}/switch/1`, run, step: 'switch', generation: 1, undo: false };
    for (let number = 1; number <= 2; number += 1) {
      await control.attempts.claim(attempt);
      await control.runs.change(run, { steps: [{ id: 'switch', state: 'failed', generation: 1, failure }] });
      await control.runs.change(run, { steps: [{ id: 'switch', state: 'failed', generation: 1, failure }] });
    }
    expect((await kindsOf(control, run)).filter((kind) => kind === 'step.failed')).toHaveLength(2);
  });

  it('says who marked a step done', async () => {
    await control.runs.change(run, { steps: [{ id: 'switch', state: 'marked-done', generation: 1, because: 'looked at it', by: 'ben' }] });
    expect((await control.runs.detail(run))?.steps[3]).toMatchObject({ state: 'marked-done', because: 'looked at it, by ben' });
  });

  it('takes a text that was cut in the middle of a character', async () => {
    await control.runs.change(run, { steps: [{ id: 'switch', state: 'skipped', generation: 1, because: 'cut \ud83d' }] });
    expect((await control.runs.detail(run))?.steps[3]?.because).toBe('cut \ufffd');
    const nul = control.runs.change(run, { steps: [{ id: 'switch', state: 'done', generation: 1, because: 'a\u0000b' }] });
    await failureOf('input-invalid', nul);
  });

  it('begins the time of a step anew when it is started again', async () => {
    const at = async (): Promise<string | null | undefined> => (await control.runs.detail(run))?.steps[3]?.startedAt;
    const started = async (generation: number) => control.runs.change(run, { steps: [{ id: 'switch', state: 'running', generation }] });
    await started(1);
    const client = await place.client(database);
    await client.query("UPDATE steadyhand.steps SET started_at = started_at - interval '1 hour'");
    const first = await at();
    await control.runs.change(run, { steps: [{ id: 'switch', state: 'failed', generation: 1, failure }] });
    await started(1);
    expect(await at()).toBe(first);
    await started(2);
    expect(await at()).not.toBe(first);
  });

  it('is all or nothing: a step that the plan does not have takes the state back', async () => {
    const wrong = control.runs.change(run, { state: 'running', steps: [{ id: 'nonsense', state: 'done', generation: 1 }] });
    await failureOf('internal', wrong);
    expect(await control.runs.find(run)).toMatchObject({ state: 'requested' });
    expect((await kindsOf(control, run)).slice(2)).toEqual([]);
  });

  it('comes too late for a closed run', async () => {
    await control.runs.close(run, { outcome: 'aborted', free: true });
    await control.runs.change(run, { state: 'running', steps: [{ id: 'switch', state: 'running', generation: 1 }] });
    expect(await control.runs.find(run)).toMatchObject({ state: 'closed' });
    expect(await rowsOf()).toMatchObject({ switch: 'pending' });
  });

  it('does not need an event for progress', async () => {
    const progress = { summary: '3 of 4 tables', fraction: 0.75, secondsLeft: 20 };
    await control.runs.progress(run, 'switch', progress);
    expect((await control.runs.detail(run))?.steps[3]?.progress).toEqual(progress);
    expect(await kindsOf(control, run)).toHaveLength(2);
  });
});

describe('the end of a run', () => {
  it('is written once: the first one stands', async () => {
    const ending = { outcome: 'rolled-back', because: 'cancelled', left: ['a slot'], failure, free: true } as const;
    await control.runs.close(run, { ...ending, actor: anna });
    await control.runs.close(run, ending);
    await control.runs.close(run, { outcome: 'succeeded', free: true });
    expect(await control.runs.find(run)).toMatchObject({
      state: 'closed',
      outcome: 'rolled-back',
      because: 'cancelled',
      left: ['a slot'],
      failure,
    });
    const events = await control.events.list({ run, limit: 9 });
    expect(events.map((event) => event.kind)).toEqual(['run.requested', 'run.closed']);
    expect(events[1]).toMatchObject({ actor: anna, data: { outcome: 'rolled-back', left: ['a slot'] } });
  });

  it('closes its open questions', async () => {
    await control.questions.open({ run, approval: 'approve', opening: 1, kind: 'approval', digest: 'd', choices: ['approve'], quorum: [] });
    await control.runs.close(run, { outcome: 'aborted', free: true });
    expect((await control.runs.detail(run))?.questions).toEqual([]);
    expect(await control.questions.find(run, 'approve', 1)).toMatchObject({ answer: 'closed' });
    expect(await kindsOf(control, run)).toEqual(['run.requested', 'approval.opened', 'approval.closed', 'run.closed']);
  });

  it('stops what is under way: in a run that is over nothing goes on', async () => {
    await control.runs.planned(run, { digest: 'd1', steps });
    await control.runs.change(run, {
      steps: [
        { id: 'preflight', state: 'done', generation: 1 },
        { id: 'approve', state: 'waiting', generation: 2 },
      ],
    });
    await control.attempts.claim({ key: `${run}/switch/1`, run, step: 'switch', generation: 1, undo: false });
    await control.runs.progress(run, 'switch', { summary: 'half of it' });
    await control.runs.close(run, { outcome: 'needs-attention', free: true, actor: anna });
    expect(await rowsOf()).toEqual({ preflight: 'done', approve: 'stopped', 'copy-schema': 'absent', switch: 'stopped' });
    const row = (await control.runs.detail(run))?.steps[3];
    expect(row).toMatchObject({ progress: null, finishedAt: expect.any(String) });
    const stopped = (await control.events.list({ run, limit: 20 })).filter((event) => event.kind === 'step.stopped');
    expect(stopped.map((event) => event.data)).toEqual([
      { because: null, by: null, failure: null, generation: 2, state: 'stopped', step: 'approve' },
      { because: null, by: null, failure: null, generation: 1, state: 'stopped', step: 'switch' },
    ]);
    expect(stopped[0]?.actor).toEqual(anna);
    expect((await control.events.verify()).bad).toBeNull();
  });

  it.each([
    [true, 'free', 'lease.freed'],
    [false, 'orphaned', 'lease.orphaned'],
  ])('with free %s leaves the lease %s', async (free, state, kind) => {
    await control.lease.take('or"d\ners', run, async () => true);
    await control.runs.close(run, { outcome: free ? 'succeeded' : 'needs-attention', free });
    expect(await control.lease.find('or"d\ners')).toMatchObject({ state, holder: run, epoch: 1 });
    const events = await control.events.list({ run, limit: 9 });
    expect(events.map((event) => event.kind)).toEqual(['run.requested', 'lease.taken', kind, 'run.closed']);
    expect(events[2]?.data).toEqual({ database: 'or"d\ners', epoch: 1 });
  });
});

describe('lists', () => {
  it('are pages, newest first, without gap or repeat while runs are added', async () => {
    const made = [run];
    for (let number = 0; number < 6; number += 1) {
      made.push(await aRun(control, { run: `migration-cutover/orders/${ulid(Date.now() + 10 * (number + 1))}` }));
    }
    const seen: string[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await control.runs.list({ limit: 3, ...(before === undefined ? {} : { before }) });
      if (page.length === 0) break;
      seen.push(...page.map((row) => row.run));
      before = page.at(-1)?.run.split('/')[2];
      await aRun(control, { run: `migration-cutover/orders/${ulid(Date.now() + 60_000)}` });
    }
    expect(seen).toEqual(made.toReversed());
  });

  it('filter by database and state', async () => {
    const other = await aRun(control, { database: 'billing' });
    await control.runs.change(other, { state: 'parked' });
    const runs = async (filter: Parameters<Control['runs']['list']>[0]): Promise<string[]> =>
      (await control.runs.list(filter)).map((row) => row.run);
    expect(await runs({ database: 'billing', limit: 9 })).toEqual([other]);
    expect(await runs({ state: 'requested', limit: 9 })).toEqual([run]);
    expect(await runs({ database: 'orders', state: 'parked', limit: 9 })).toEqual([]);
  });

  it('find a run by its ULID alone, in any case', async () => {
    const id = run.split('/')[2] ?? '';
    expect((await control.runs.detail(id))?.run).toBe(run);
    expect((await control.runs.detail(id.toLowerCase()))?.run).toBe(run);
    expect(await control.runs.detail(ulid())).toBeNull();
    expect(await control.runs.find('nonsense')).toBeNull();
  });
});

describe('the seconds of a step', () => {
  const took = async (of: string, id: string, seconds: number): Promise<void> => {
    await control.runs.planned(of, { digest: 'd', steps });
    await control.runs.change(of, { steps: [{ id, state: 'running', generation: 1 }] });
    await control.runs.change(of, { steps: [{ id, state: 'done', generation: 1 }] });
    const client = await place.client(database);
    await client.query("UPDATE steadyhand.steps SET finished_at = started_at + $3 * interval '1 second' WHERE run = $1 AND id = $2", [
      of,
      id,
      seconds,
    ]);
  };

  it('are the median of this database, else of all; only of steps that were done, and no approvals', async () => {
    for (const seconds of [10, 20, 60]) await took(await aRun(control), 'switch', seconds);
    await took(await aRun(control, { database: 'billing' }), 'switch', 500);
    await took(await aRun(control, { database: 'billing' }), 'preflight', 4);
    await took(await aRun(control), 'approve', 3_600);
    expect(await control.runs.stepPaces('migration-cutover', 'orders')).toEqual({
      preflight: { seconds: 4, own: false },
      switch: { seconds: 20, own: true },
    });
    expect(await control.runs.stepPaces('migration-cutover', 'unheard-of')).toEqual({
      preflight: { seconds: 4, own: false },
      switch: { seconds: 40, own: false },
    });
    expect(await control.runs.stepPaces('another', 'orders')).toEqual({});
  });

  it('are those of the newest runs: what was slow a year ago is not asked', async () => {
    for (let run = 0; run < 25; run += 1) await took(await aRun(control), 'switch', 600);
    for (let run = 0; run < 20; run += 1) await took(await aRun(control), 'switch', 1);
    expect(await control.runs.stepPaces('migration-cutover', 'orders')).toEqual({ switch: { seconds: 1, own: true } });
  });

  it('come with the rate of a step that moves bytes, as the plan of its run tells them', async () => {
    await control.documents.put('plan', 'd', { steps: [{ id: 'switch', bytes: 4_000 }, { id: 'preflight' }] });
    await took(await aRun(control, { database: 'billing' }), 'switch', 8);
    expect(await control.runs.stepPaces('migration-cutover', 'orders')).toEqual({
      switch: { seconds: 8, own: false, bytesPerSecond: 500 },
    });
  });
});
