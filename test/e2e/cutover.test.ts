import { expect, test } from 'vitest';
import { judge } from '../../sandbox/judge.ts';
import { movePlace, pooled } from './place.ts';

const place = movePlace();

test.each(pooled ? [true, false] : [false])('a database moves under load, nothing is lost (through PgBouncer: %s)', async (pooler) => {
  const { load, request, agree, until, connect } = await place.begin({ pooler });
  const writers = load();
  const run = await request();
  await agree(run, 'approve-prepare');
  await agree(run, 'approve-switch');
  const closed = await until(run, (now) => now.state === 'closed');
  expect(closed).toMatchObject({
    outcome: 'succeeded',
    evidence: { compare: { tablesDiffering: 0, sequencesBehind: 0, method: 'snapshot' }, retire: { lateWrites: 0 } },
  });
  const report = await writers.stop();
  const verdict = await judge(report, await connect('target'), await connect('source'));
  expect(verdict).toMatchObject({ lost: 0, ghost: 0, duplicated: 0, torn: 0, sequencesBehind: [], oldSideWritesAfterFence: 0 });
  expect(report.unresolved).toBe(0);
  if (pooler) expect(report.clientErrors).toEqual({});
});
