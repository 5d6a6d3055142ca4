import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { canonical } from '../../domain/digest.ts';
import { Failure, reportOf } from '../../domain/failure.ts';
import { aRun, controlPlace } from './support.ts';

const place = controlPlace();
const typed = (what: string): string => `${what}: postgres://app:Sentinel@db/orders did not work, password='Sentinel' neither`;

test('a secret that somebody typed into a reason, or that a server threw, stands in no row', async () => {
  const { control, database } = await place.fresh();
  const run = await aRun(control, { ticket: typed('ticket') });
  const failure = reportOf(new Failure('server-error', typed('message'), { statement: typed('fact') }));
  await control.runs.planned(run, { digest: 'd1', steps: [{ id: 'switch', kind: 'change', title: 'Switch', applies: true }] });
  await control.runs.progress(run, 'switch', { summary: typed('summary') });
  const step = { id: 'switch', state: 'failed', generation: 1, because: typed('because'), by: 'grace', failure } as const;
  await control.runs.change(run, { state: 'parked', steps: [step], failure });
  const question = { run, approval: 'switch', opening: 1, kind: 'parked', digest: 'd1', choices: ['retry', 'abort'], quorum: [] } as const;
  await control.questions.open({ ...question, failure });
  const answer = { run, approval: 'switch', opening: 1, digest: 'd1', choice: 'abort', person: 'grace', groups: ['dba'] } as const;
  const decided = await control.questions.decide({ ...answer, id: randomUUID(), channel: 'cli', reason: typed('reason') });
  expect(decided.reason).toBe('reason: postgres://app:***@db/orders did not work, password=*** neither');
  await control.questions.judge(decided.id, { counts: true, because: typed('judgement') });
  const key = `${run}/switch/1`;
  const { number } = await control.attempts.claim({ key, run, step: 'switch', generation: 1, undo: false });
  const done = { id: 'switch', state: 'done', generation: 1 } as const;
  await control.runs.finish(run, { key, number, step: done, evidence: { switch: { said: typed('evidence') } } });
  await control.tokens.create({ person: 'ada', note: typed('note'), actor: { kind: 'person', name: 'ada', channel: 'cli' } });
  await control.lease.take('orders', run, async () => await Promise.resolve(true));
  await control.lease.release(
    'orders',
    { kind: 'person', name: 'ada', channel: 'cli' },
    typed('release'),
    async () => await Promise.resolve(false),
  );
  await control.runs.close(run, { outcome: 'aborted', because: typed('because'), left: [typed('left')], failure, free: true });

  const client = await place.client(database);
  const { rows } = await client.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'steadyhand'");
  const texts = await Promise.all(
    rows.map(async ({ name }) => canonical((await client.query(`SELECT t::text FROM steadyhand.${name} t`)).rows)),
  );
  expect(texts.join('\n')).toContain('did not work');
  expect(texts.filter((text) => text.includes('Sentinel'))).toEqual([]);
  expect(await control.events.verify()).toMatchObject({ bad: null });
});
