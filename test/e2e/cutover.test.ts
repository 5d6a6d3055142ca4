import { expect, test } from 'vitest';
import { judge } from '../../sandbox/judge.ts';
import { previewSchema } from '../../api/plan-answers.ts';
import { failureOf } from '../control/support.ts';
import { worldOf } from './objects.ts';
import { movePlace, pooled, type Move } from './place.ts';

const place = movePlace();

test.each(pooled ? [true, false] : [false])('a database moves under load, nothing is lost (through PgBouncer: %s)', async (pooler) => {
  const move = await place.begin({ pooler });
  const { load, request, agree, until, connect } = move;
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
  await refusedAsMoved(move, run);
});

/** The inventory still names the old server: asking again says so, and what to write there; nothing is touched. */
async function refusedAsMoved(move: Move, run: string): Promise<void> {
  const sides = [await move.connect('source'), await move.connect('target')] as const;
  const before = await Promise.all(sides.map(worldOf));
  const { host, port } = move.taps.target;
  const says = [
    `${move.database} was moved to ${move.database}-18 by ${run} on 20`,
    'it is closed to clients',
    `databases.${move.database}.server with host: ${host}, port: ${port}, dbname: ${move.dbname}`,
  ];
  const asked = { runbook: 'migration-cutover', database: move.database, input: { target: `${move.database}-18` } };
  const refused = await failureOf('plan-impossible', move.as('ada').post('/v1/plans', asked, previewSchema));
  const again = await move.until(await move.request(), (now) => now.state === 'closed');
  expect(again).toMatchObject({ outcome: 'refused', failure: { code: 'plan-impossible' } });
  for (const text of says) for (const told of [refused.message, again.because]) expect(told).toContain(text);
  expect(await Promise.all(sides.map(worldOf))).toEqual(before);
}
