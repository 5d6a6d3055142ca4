import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { movePlace, type Move } from '../../e2e/place.ts';
import { clientOf } from '../../support/sandbox-client.ts';
import { eventually } from '../../support/eventually.ts';
import { another, fifteen } from './fifteen.ts';

const place = movePlace();
const own = {
  dbname: 'fed',
  schema: 'CREATE TABLE news (id int PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY)',
  rows: 'INSERT INTO orders SELECT generate_series(1, 1000)',
};
const cron = `CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigint PRIMARY KEY, jobname text, database text, active boolean);
  INSERT INTO cron.job VALUES (7, 'nightly', 'fed', true), (8, 'theirs', 'other', true)`;

test('a source that is a subscriber is refused; stopped as the finding says, it goes on at the new side from the same slot', async () => {
  const move = await place.begin({ source: fifteen({ 'cron.database_name': 'postgres' }), own });
  const { client: upstream, conninfo } = await another();
  const source = await move.connect('source');
  const jobs = await besides(move, source);
  await jobs.query(cron);
  await upstream.query('CREATE TABLE news (id int PRIMARY KEY); CREATE PUBLICATION out FOR TABLE news');
  await source.query(`CREATE SUBSCRIPTION feed CONNECTION '${conninfo}' PUBLICATION out`);
  const publish = async (upTo: number): Promise<void> => {
    await upstream.query('INSERT INTO news SELECT generate_series((SELECT count(*) FROM news)::int + 1, $1)', [upTo]);
  };
  await eventually(async () => (await source.query(`SELECT FROM pg_subscription_rel WHERE srsubstate = 'r'`)).rowCount || undefined);
  await publish(31);
  await eventually(async () => (await count(source)) === 31 || undefined);

  const refused = await move.until(await move.request(), (now) => now.state === 'closed');
  expect(refused).toMatchObject({ outcome: 'refused', failure: { code: 'preflight-blocked' } });
  expect(refused.because).toContain('the subscription "feed", job 7 of pg_cron (nightly)');
  expect(refused.because).toContain(
    'ALTER SUBSCRIPTION "feed" DISABLE; SELECT cron.alter_job(7, active := false) in the database postgres',
  );

  await jobs.query('UPDATE cron.job SET active = false WHERE jobid = 7');
  await source.query('ALTER SUBSCRIPTION feed DISABLE');
  const run = await move.request();
  await move.agree(run, 'approve-prepare');
  await publish(40);
  await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'));
  await source.query('ALTER SUBSCRIPTION feed ENABLE');
  await move.agree(run, 'approve-switch');
  const waiting = (step: { id: string; progress?: { summary: string } | null }): boolean =>
    step.id === 'gate' && (step.progress?.summary ?? '').includes('without a login: the subscription "feed"');
  await move.until(run, (now) => now.steps.some(waiting));
  await source.query('ALTER SUBSCRIPTION feed DISABLE');
  const closed = await move.until(run, (now) => now.state === 'closed', 100_000);
  expect(closed).toMatchObject({ outcome: 'succeeded', evidence: { compare: { tablesDiffering: 0 }, retire: { lateWrites: 0 } } });

  const old = await move.connect('source');
  const target = await move.connect('target');
  const before = await count(old);
  await takeOver(old, target, conninfo);
  await publish(54);
  await eventually(async () => (await count(target)) === 54 || undefined, 20_000);
  expect([await count(upstream), await count(old)]).toEqual([54, before]);
});

/** As docs/migration-cutover.md says. */
async function takeOver(old: pg.Client, target: pg.Client, conninfo: string): Promise<void> {
  const { rows } = await old.query<{ lsn: string }>(
    `SELECT o.remote_lsn::text AS lsn FROM pg_subscription s JOIN pg_replication_origin_status o ON o.external_id = 'pg_' || s.oid WHERE s.subname = 'feed'`,
  );
  await old.query('ALTER SUBSCRIPTION feed SET (slot_name = NONE)');
  await target.query(`CREATE SUBSCRIPTION feed CONNECTION '${conninfo}' PUBLICATION out
    WITH (create_slot = false, slot_name = 'feed', copy_data = false, enabled = false)`);
  await target.query(`SELECT pg_replication_origin_advance('pg_' || oid, $1) FROM pg_subscription WHERE subname = 'feed'`, [rows[0]?.lsn]);
  await target.query('ALTER SUBSCRIPTION feed ENABLE');
}

async function count(client: pg.Client): Promise<number> {
  return Number((await client.query<{ n: string }>('SELECT count(*) AS n FROM news')).rows[0]?.n);
}

/** The database of pg_cron on the source's server. */
async function besides({ sandbox }: Move, source: pg.Client): Promise<pg.Client> {
  const { rows } = await source.query<{ port: number }>('SELECT inet_server_port() AS port');
  const client = await clientOf(sandbox, { host: '127.0.0.1', port: rows[0]?.port ?? 0 }, 'postgres');
  onTestFinished(async () => await client.end());
  return client;
}
