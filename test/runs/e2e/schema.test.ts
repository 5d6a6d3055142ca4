import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createApplicationDatabase, fillApplication, migrateApplication } from '../../../sandbox/application/application.ts';
import { startCluster } from '../../../sandbox/postgres.ts';
import { scramVerifier } from '../../../activities/postgres/scram-verifier.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { worldOf } from '../../e2e/objects.ts';
import { movePlace } from '../../e2e/place.ts';

const place = movePlace();
const there = postgres15 !== undefined;
const bin = postgres15 ?? '/nowhere';
const tools = { STEADYHAND_PG_DUMP: join(bin, 'pg_dump'), STEADYHAND_PG_RESTORE: join(bin, 'pg_restore') };

test('a client tool that is older than the source, or missing, is refused with the hint; nothing is changed', async () => {
  const move = await place.begin({ target: 'empty', environment: tools });
  const [source, target] = [await move.connect('source'), await move.connect('target')];
  const before = [await worldOf(source), await worldOf(target)];
  const run = await move.request({ schema: 'copy' });
  const closed = await move.until(run, (now) => now.state === 'closed');
  expect(closed).toMatchObject({ outcome: 'refused', failure: { code: 'preflight-blocked' } });
  expect(closed.because).toMatch(there ? /pg_dump 16 or newer.*15\./s : /pg_dump/);
  expect([await worldOf(source), await worldOf(target)]).toEqual(before);
});

if (there) {
  test('a PostgreSQL 15 moves to an empty 18: schema by pg_dump and pg_restore, then the rows', async () => {
    const move = await place.begin({ target: 'empty', environment: tools, source: { start: startFifteen } });
    const run = await move.request({ schema: 'copy' });
    await move.agree(run, 'approve-prepare');
    await move.agree(run, 'approve-switch');
    const closed = await move.until(run, (now) => now.state === 'closed');
    expect(closed).toMatchObject({ outcome: 'succeeded', evidence: { compare: { tablesDiffering: 0, sequencesBehind: 0 } } });
    expect(closed.steps.find((step) => step.id === 'copy-schema')?.state).toBe('done');
  });

  test('a rejected switch takes the copied schema back: the target is as empty as before', async () => {
    const move = await place.begin({ target: 'empty', environment: tools, source: { start: startFifteen } });
    const target = await move.connect('target');
    const before = await worldOf(target);
    const run = await move.request({ schema: 'copy' });
    await move.agree(run, 'approve-prepare');
    await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'));
    await move.decide(run, 'linus', 'reject', 'not this week');
    const closed = await move.until(run, (now) => now.state === 'closed');
    expect(closed).toMatchObject({ outcome: 'rolled-back', left: [] });
    expect(await worldOf(await move.connect('target'))).toEqual(before);
  });
}

async function startFifteen(directory: string, password: string): ReturnType<typeof startCluster> {
  const settings = { wal_level: 'logical', max_wal_senders: 20, max_replication_slots: 20, fsync: 'off' };
  const cluster = await startCluster({ name: 'source-15', bin, directory, settings });
  await createApplicationDatabase(cluster, { steadyhand: scramVerifier(password), orders_app: scramVerifier(password) });
  await migrateApplication(cluster);
  await fillApplication(cluster, 5_000);
  return cluster;
}
