import { expect, test } from 'vitest';
import type { z } from 'zod';
import { eventsSchema, judgedSchema, leaseSchema } from '../../../api/answers.ts';
import { clearingSchema, janitorSchema } from '../../../api/janitor-answers.ts';
import { judge } from '../../../sandbox/judge.ts';
import { eventually } from '../../support/eventually.ts';
import { worldOf } from '../../e2e/objects.ts';
import { holdTheCopy, movePlace, pooled, type Move } from '../../e2e/place.ts';

const place = movePlace();

async function inTheCopy(move: Move): Promise<string> {
  const run = await move.request();
  await move.agree(run, 'approve-prepare');
  await move.until(run, (now) => now.steps.some((step) => step.id === 'initial-copy' && step.progress !== null));
  return run;
}

test('a cancel in the copy leaves both servers as they were, object by object', async () => {
  const move = await place.begin();
  const source = await move.connect('source');
  const target = await move.connect('target');
  const before = [await worldOf(source), await worldOf(target)];
  const held = holdTheCopy(move);
  const run = await inTheCopy(move);
  const id = run.split('/').at(-1);
  await move.as('ada').post(`/v1/runs/${id}/cancel`, { reason: 'the wrong evening' }, judgedSchema);
  const closed = await move.until(run, (now) => now.state === 'closed');
  held.letGo();
  expect(closed).toMatchObject({ outcome: 'rolled-back', left: [] });
  expect([await worldOf(source), await worldOf(target)]).toEqual(before);
  const clients = await move.connect('target');
  expect((await clients.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('a run that was terminated in the copy leaves an orphaned lease that names what is left, until a person releases it', async () => {
  const move = await place.begin();
  const held = holdTheCopy(move);
  const run = await inTheCopy(move);
  await move.temporal.workflow.getHandle(run).terminate('somebody was in a hurry');
  const closed = await move.until(run, (now) => now.state === 'closed');
  held.letGo();
  expect(closed).toMatchObject({ outcome: 'needs-attention', because: 'the workflow was terminated' });
  const left = closed.left.map((line) => line.split(' ')[0]);
  expect(left).toEqual(expect.arrayContaining(['close-target', 'freeze-ddl', 'publish', 'subscribe']));
  const lease = `/v1/leases/${move.database}`;
  expect(await move.as('ada').get(lease, leaseSchema)).toMatchObject({ state: 'orphaned', holder: run });
  const second = await move.request();
  const refused = await move.until(second, (now) => now.state === 'closed');
  expect(refused).toMatchObject({ outcome: 'refused', failure: { code: 'lease-orphaned', facts: { holder: run } } });
  await move.as('ada').post(`${lease}/release`, { reason: 'removed by hand' }, leaseSchema);
  expect(await move.as('ada').get(lease, leaseSchema)).toMatchObject({ state: 'free' });
});

test('the janitor finds what a terminated run left on both servers, and takes it back: they are as they were', async () => {
  const move = await place.begin();
  const source = await move.connect('source');
  const target = await move.connect('target');
  const before = [await worldOf(source), await worldOf(target)];
  const held = holdTheCopy(move);
  const run = await inTheCopy(move);
  const id = run.split('/').at(-1) ?? '';
  const look = async (): Promise<z.infer<typeof janitorSchema>> =>
    await move.as('ada').get(`/v1/janitor?database=${move.database}`, janitorSchema);
  expect(await look()).toEqual({ runs: [], objects: [], kept: [], unseen: [] });
  await move.temporal.workflow.getHandle(run).terminate('somebody was in a hurry');
  const found = await eventually(async () => {
    const seen = await look();
    return seen.runs.length === 1 ? seen : undefined;
  });
  held.letGo();
  const command = `steadyhand janitor --remove ${id} --reason '…'`;
  expect(found.runs).toMatchObject([{ run, safe: true, command }]);
  const there = found.objects.map(({ kind, owner, command: what }) => ({ kind, owner, what }));
  for (const kind of ['slot', 'publication', 'event trigger', 'function']) {
    expect(there).toContainEqual({ kind, owner: 'closed', what: command });
  }
  const { objects } = await move.as('ada').get(`/v1/janitor?database=${move.database}-18`, janitorSchema);
  expect(objects).toContainEqual(expect.objectContaining({ kind: 'subscription', run, command }));
  const { asked } = await move.as('ada').post(`/v1/janitor/${id}`, { reason: 'OPS-7' }, clearingSchema);
  const cleared = await eventually(
    async () => {
      const { events } = await move.as('ada').get(`/v1/runs/${id}/events?limit=500&after=${asked}`, eventsSchema);
      return events.find((event) => event.kind === 'run.cleared');
    },
    60_000,
    100,
  );
  expect(cleared.data).toEqual({ asked, left: [] });
  expect(await look()).toEqual({ runs: [], objects: [], kept: [], unseen: [] });
  expect([await worldOf(source), await worldOf(target)]).toEqual(before);
  for (const database of [move.database, `${move.database}-18`]) {
    expect(await move.as('ada').get(`/v1/leases/${database}`, leaseSchema)).toMatchObject({ state: 'free', holder: run });
  }
});

/** The apply is held up until the server has thrown away WAL that the run's slot needs, as a full disk makes it do. */
async function loseTheSlot(move: Move): Promise<void> {
  const source = await move.connect('source');
  const target = await move.connect('target');
  await source.query(`ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'`);
  await source.query('SELECT pg_reload_conf()');
  await target.query('BEGIN');
  await target.query('LOCK TABLE probe IN ACCESS EXCLUSIVE MODE');
  await eventually(async () => {
    await source.query('SELECT pg_switch_wal(), pg_logical_emit_message(false, $1, repeat($1, 1000))', ['x']);
    await source.query('CHECKPOINT');
    // Only of this database: a run that was terminated in another one has left its slot.
    const lost = await source.query(`SELECT FROM pg_replication_slots WHERE wal_status = 'lost' AND database = current_database()`);
    return lost.rowCount === 1 ? true : undefined;
  });
  await target.query('ROLLBACK');
  await source.query('ALTER SYSTEM RESET max_slot_wal_keep_size');
  await source.query('SELECT pg_reload_conf()');
}

test('a slot that has lost its WAL in the catch-up: start again copies anew, and nothing is missing', async () => {
  const move = await place.begin();
  const writers = move.load();
  const lost = move.taps.source.set({
    statement: /pg_logical_emit_message/,
    when: 'sent',
    spring: async () => await loseTheSlot(move),
  });
  const run = await move.request();
  await move.agree(run, 'approve-prepare');
  await lost;
  const parked = await move.until(run, (now) => now.state === 'parked');
  expect(parked.failure).toMatchObject({ code: 'replication-failed', facts: { againFrom: 'subscribe' } });
  await move.decide(run, 'ada', 'start-again');
  await move.agree(run, 'approve-switch');
  const closed = await move.until(run, (now) => now.state === 'closed');
  expect(closed.outcome).toBe('succeeded');
  const again = closed.steps.filter((step) => step.generation === 2 && step.kind !== 'approval').map((step) => step.id);
  expect(again).toEqual(['subscribe', 'initial-copy', 'catch-up']);
  const report = await writers.stop();
  expect(await judge(report, await move.connect('target'), await move.connect('source'))).toMatchObject({
    lost: 0,
    ghost: 0,
    duplicated: 0,
  });
});

test('a switch that fails half-way serves on the old side first, parks, and goes through on retry', async () => {
  const move = await place.begin();
  const writers = move.load();
  const run = await move.request();
  await move.agree(run, 'approve-prepare');
  await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'));
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  // The new side does not answer when it is told the sequences, in the middle of the pause.
  const stuck = move.taps.target.set({ statement: /setval/, when: 'sent', spring: async () => await gate });
  await move.agree(run, 'approve-switch');
  const parked = await move.until(run, (now) => now.state === 'parked');
  expect(parked.failure).toMatchObject({ code: 'switch-abandoned' });
  expect(parked.steps.find((step) => step.id === 'switch')).toMatchObject({ state: 'failed' });
  const source = await move.connect('source');
  const written = async (): Promise<number> => Number((await source.query<{ count: string }>('SELECT count(*) FROM probe')).rows[0]?.count);
  const before = await written();
  await eventually(async () => ((await written()) > before + 50 ? true : undefined));
  letGo();
  await stuck;
  await move.decide(run, 'ada', 'retry');
  const closed = await move.until(run, (now) => now.state === 'closed');
  expect(closed.outcome).toBe('succeeded');
  const report = await writers.stop();
  // The fence has ended the connection from before the switch.
  expect(await judge(report, await move.connect('target'), await move.connect('source'))).toMatchObject({
    lost: 0,
    ghost: 0,
    duplicated: 0,
    sequencesBehind: [],
    oldSideWritesAfterFence: 0,
  });
  expect(report.longestWriteGapMs).toBeLessThan(5_000);
  if (pooled) expect(report.clientErrors).toEqual({});
});
