import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { aRun, controlPlace, failureOf, kindsOf } from './support.ts';

const place = controlPlace();
let control: Control;
let database: string;
let run: string;
beforeEach(async () => {
  ({ control, database } = await place.emptied());
  run = await aRun(control);
});

const question = () =>
  ({
    run,
    approval: 'approve-switch',
    opening: 1,
    kind: 'approval',
    digest: 'd1',
    choices: ['approve', 'reject'],
    quorum: [{ group: 'dba', count: 1 }],
    deadline: '2030-01-02T03:04:05.000Z',
  }) as const;
const decision = (person: string) =>
  ({
    id: randomUUID(),
    run,
    approval: 'approve-switch',
    opening: 1,
    digest: 'd1',
    choice: 'approve',
    person,
    groups: ['dba'],
    channel: 'slack',
  }) as const;

describe('questions', () => {
  it('are opened once, and come back as they stand', async () => {
    const first = await control.questions.open(question());
    expect(first).toEqual({ ...question(), requester: 'anna', failure: null, openedAt: expect.any(String), agreements: [], chain: [] });
    expect(await control.questions.open({ ...question(), digest: 'other' })).toEqual(first);
    expect((await control.runs.detail(run))?.questions).toEqual([first]);
    expect(await kindsOf(control, run)).toEqual(['run.requested', 'approval.opened']);
  });

  it('are read with their run and who has answered, by the run’s name or its id', async () => {
    await control.questions.open(question());
    const [judged, unjudged] = [decision('ben'), decision('cleo')];
    await control.questions.decide(judged);
    await control.questions.decide(unjudged);
    await control.questions.judge(judged.id, { counts: true, because: 'counts' });
    const { run: _, approval, opening, ...asked } = question();
    const context = { run, database: 'orders', requester: 'anna', state: 'requested', outcome: null, forward: false };
    const agreements = [{ person: 'ben', groups: ['dba'], choice: 'approve' }];
    expect(await control.questions.answerContext(run, approval, opening)).toEqual({
      ...context,
      question: { ...asked, agreements, answer: null },
      unjudged: ['cleo'],
    });
    const id = run.split('/')[2]?.toLowerCase() ?? '';
    expect(await control.questions.answerContext(id, 'run', 0)).toEqual({ ...context, question: null, unjudged: [] });
    expect(await control.questions.answerContext('7'.repeat(26), 'run', 0)).toBeNull();
  });

  it('of a parked step have no deadline', async () => {
    const { deadline: _, ...parked } = { ...question(), kind: 'parked' as const, approval: 'switch' };
    expect(await control.questions.open(parked)).not.toHaveProperty('deadline');
    expect((await control.runs.detail(run))?.questions[0]).not.toHaveProperty('deadline');
  });

  it('are closed once, and asked again under another opening', async () => {
    await control.questions.open(question());
    await control.questions.close({ run, approval: 'approve-switch', opening: 1 }, 'lapsed');
    await control.questions.close({ run, approval: 'approve-switch', opening: 1 }, 'approve');
    expect(await control.questions.find(run, 'approve-switch', 1)).toMatchObject({ answer: 'lapsed' });
    await control.questions.open({ ...question(), opening: 2, digest: 'd2' });
    expect((await control.runs.detail(run))?.questions.map((one) => one.opening)).toEqual([2]);
    expect(await control.questions.find(run, 'approve-switch', 2)).toMatchObject({ answer: null, digest: 'd2' });
    expect(await control.questions.find(run, 'approve-switch', 3)).toBeNull();
    expect((await kindsOf(control, run)).slice(1)).toEqual(['approval.opened', 'approval.closed', 'approval.opened']);
  });

  it('need a run', async () => {
    await failureOf('not-found', control.questions.open({ ...question(), run: 'nonsense' }));
  });
});

describe('decisions', () => {
  it('are written with who, groups and reason, once for an id', async () => {
    const made = { ...decision('ben'), reason: 'looks right' };
    const row = await control.questions.decide(made);
    expect(row).toEqual({ ...made, kind: 'person', at: expect.any(String), counts: null, because: null });
    expect(await control.questions.decide({ ...made, choice: 'reject' })).toEqual(row);
    expect(await control.questions.decision(made.id)).toEqual(row);
    expect(await control.questions.decision('nonsense')).toBeNull();
    const events = await control.events.list({ run, limit: 9 });
    expect(events.map((event) => event.kind)).toEqual(['run.requested', 'decision.made']);
    expect(events[1]).toMatchObject({
      actor: { kind: 'person', name: 'ben', channel: 'slack' },
      data: { choice: 'approve', reason: 'looks right' },
    });
  });

  it('come with the question that they answer, open or closed, or with none', async () => {
    await control.questions.open(question());
    const [ben, cancel] = [decision('ben'), { ...decision('eve'), approval: 'run', choice: 'cancel' } as const];
    for (const one of [ben, cancel]) await control.questions.decide(one);
    const read = async (id: string) => await control.questions.withQuestion(id);
    const asRead = { decision: await control.questions.decision(ben.id), question: await control.questions.find(run, 'approve-switch', 1) };
    expect(asRead).toMatchObject({ decision: { person: 'ben' }, question: { answer: null, deadline: '2030-01-02T03:04:05.000Z' } });
    expect(await read(ben.id)).toEqual(asRead);
    expect(await read(cancel.id)).toMatchObject({ decision: { choice: 'cancel' }, question: null });
    expect(await read('nonsense')).toBeNull();
    await control.questions.close({ run, approval: 'approve-switch', opening: 1 }, 'lapsed');
    expect(await read(ben.id)).toMatchObject({ question: { answer: 'lapsed' } });
  });

  it('are judged once: the first judgement stands', async () => {
    await control.questions.open(question());
    const [ben, eve] = [decision('ben'), decision('eve')];
    await control.questions.decide(ben);
    await control.questions.decide(eve);
    expect(await control.questions.judge(eve.id, { counts: false, because: 'she asked for the run' })).toEqual({
      counts: false,
      because: 'she asked for the run',
      agreements: [],
    });
    expect((await control.questions.judge(ben.id, { counts: true, because: 'counts' })).agreements).toEqual([
      { person: 'ben', groups: ['dba'], choice: 'approve' },
    ]);
    expect(await control.questions.judge(eve.id, { counts: true, because: 'second thoughts' })).toMatchObject({ counts: false });
    expect(await control.questions.decision(eve.id)).toMatchObject({ counts: false, because: 'she asked for the run' });
    expect((await control.questions.find(run, 'approve-switch', 1))?.agreements).toHaveLength(1);
    expect((await control.runs.detail(run))?.decisions).toMatchObject([{ person: 'ben' }, { person: 'eve' }]);
    expect((await kindsOf(control, run)).filter((kind) => kind === 'decision.judged')).toHaveLength(2);
  });

  it('judged at the same time see each other: the last one sees all', async () => {
    await control.questions.open(question());
    const people = ['ben', 'eve', 'kim'].map(decision);
    for (const one of people) await control.questions.decide(one);
    // All of them get as far as they can while nobody can append to the audit.
    const [holder, watcher] = [await place.client(database), await place.client(database)];
    await holder.query('BEGIN; SELECT pg_advisory_xact_lock(1937006945, 1)');
    const judged = people.map((one) => control.questions.judge(one.id, { counts: true, because: 'counts' }));
    const waiting = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await expect.poll(async () => (await watcher.query(waiting)).rows[0], { timeout: 10_000 }).toEqual({ count: people.length });
    await holder.query('COMMIT');
    const seen = await Promise.all(judged);
    expect(seen.map(({ agreements }) => agreements.length).toSorted((one, two) => one - two)).toEqual([1, 2, 3]);
  });

  it('for a cancel need no question', async () => {
    const cancel = { ...decision('ben'), approval: 'run', opening: 0, digest: '', choice: 'cancel' as const };
    await control.questions.decide(cancel);
    expect(await control.questions.judge(cancel.id, { counts: true, because: 'counts' })).toMatchObject({
      agreements: [{ choice: 'cancel' }],
    });
    await failureOf('not-found', control.questions.judge('nonsense', { counts: true, because: '' }));
  });
});

describe('answers that can’t count', () => {
  it('are recorded as rejected with both events, and are delivered to nobody', async () => {
    await control.questions.open(question());
    const made = await control.questions.decide({ ...decision('mallory'), rejected: 'mallory is in no group, password=hunter2' });
    expect(made).toMatchObject({ counts: false, because: expect.stringContaining('mallory is in no group') });
    expect(made.because).not.toContain('hunter2');
    expect((await kindsOf(control, run)).slice(-2)).toEqual(['decision.made', 'decision.judged']);
    expect(await control.questions.undelivered(0)).toEqual([]);
    expect((await control.runs.detail(run))?.questions[0]?.agreements).toEqual([]);
  });

  it('are limited for each person and question, also when they come at once; other people and questions are not affected', async () => {
    await control.questions.open(question());
    const rejected = { rejected: 'mallory is in no group' };
    const told = await Promise.allSettled(
      Array.from({ length: 30 }, async () => await control.questions.decide({ ...decision('mallory'), ...rejected })),
    );
    expect(told.filter((one) => one.status === 'fulfilled')).toHaveLength(20);
    const events = (await kindsOf(control, run)).length;
    await failureOf('too-many-answers', control.questions.decide({ ...decision('mallory'), ...rejected }));
    expect(await kindsOf(control, run)).toHaveLength(events);
    await control.questions.decide({ ...decision('grace'), ...rejected });
    await control.questions.decide({ ...decision('mallory'), approval: 'run', opening: 0, choice: 'cancel', ...rejected });
    // Once they can count, the same person is heard.
    expect(await control.questions.decide(decision('mallory'))).toMatchObject({ counts: null });
  });

  it('name questions that nobody asked: those count as one', async () => {
    const invented = async (opening: number) =>
      await control.questions.decide({ ...decision('mallory'), opening, rejected: 'it is not being asked' });
    for (let opening = 100; opening < 120; opening += 1) await invented(opening);
    await failureOf('too-many-answers', invented(120));
  });

  it('and those that the run is to judge are limited, too', async () => {
    await control.questions.open(question());
    for (let count = 0; count < 50; count += 1) await control.questions.decide(decision('grace'));
    await failureOf('too-many-answers', control.questions.decide(decision('grace')));
  });
});
