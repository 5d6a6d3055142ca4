import { afterAll, beforeAll, expect, test } from 'vitest';
import { transactionsOlderThan } from '../../../activities/postgres/preflight/traffic.ts';
import { digestOf } from '../../../domain/digest.ts';
import { connect, inDatabase, loggedStatements, makeBench, startPair, type Pair } from '../support.ts';
import { look, schema, side, tools } from './look.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

test('a sound pair passes, with figures, and nothing was written', async () => {
  const bench = await makeBench(pair, { schema, sourceOnly: 'INSERT INTO orders (note) SELECT 1 FROM generate_series(1, 10)' });
  const { findings, failure } = await look(bench);
  expect(failure?.message).toBe(undefined);
  expect(findings.filter((one) => one.level === 'blocks')).toEqual([]);
  expect(findings.map((one) => one.check)).toEqual(
    expect.arrayContaining(['versions', 'WAL on the source', 'disk of the target', 'kinds of tables']),
  );
  for (const side of [pair.source, pair.target]) expect(await loggedStatements(side, 'steadyhand preflight')).toEqual([]);
  await bench.end();
});

test('all that blocks is told at once, each with its fix', async () => {
  const bench = await makeBench(pair, { schema, sourceOnly: 'ALTER TABLE parcels DROP CONSTRAINT parcels_pkey; SELECT lo_create(0)' });
  const { failure, findings } = await look(bench);
  expect(failure).toMatchObject({
    code: 'preflight-blocked',
    facts: { findings: digestOf(findings), blocks: ['replica identity', 'large objects', 'schema'] },
  });
  expect(failure?.message).toContain('public.parcels');
  expect(failure?.message).toContain('REPLICA IDENTITY USING INDEX');
  await bench.end();
});

test('source and target on one cluster, or on that of the control database', async () => {
  const bench = await makeBench(pair, { schema });
  const { facts } = await bench.prepare();
  const system = facts.binding.source.systemIdentifier;
  const controlled = await look(bench, { controlSystem: system });
  expect(controlled.failure?.message).toContain(`orders is on the server that holds Steadyhand's control database`);
  bench.configure('target', (entry) => ({ ...entry, server: { ...entry.server, ...bench.servers.entry('orders').server } }));
  const same = await look(bench);
  expect(same.failure?.message).toContain('on the same cluster');
  await bench.end();
});

test('a server that was exchanged since the plan was made raises identity-changed', async () => {
  const bench = await makeBench(pair, { schema });
  await expect(look(bench, { facts: side('target', { systemIdentifier: '42' }) })).rejects.toMatchObject({ code: 'identity-changed' });
  await expect(look(bench, { facts: side('source', { databaseOid: 1 }) })).rejects.toMatchObject({ code: 'identity-changed' });
  await bench.end();
});

test('the replication login is tried, and its rights are looked at', async () => {
  const bench = await makeBench(pair, { schema });
  await bench.source.query(`CREATE ROLE streamer LOGIN PASSWORD 'right'`);
  const evidence = async (replication: Record<string, unknown>): Promise<string> => {
    bench.configure('source', (entry) => ({ ...entry, replication: { user: 'streamer', ...replication } }));
    const { findings } = await look(bench);
    return findings
      .filter((one) => one.check === 'replication login')
      .map((one) => `${one.level}: ${one.evidence}`)
      .join('\n');
  };
  expect(await evidence({ secret: { env: 'TARGET_PASSWORD' } })).toMatch(
    /warns: .*REPLICATION[^]*blocks: .*may not read[^]*blocks: the login .*refused/,
  );
  await bench.source.query(
    `ALTER ROLE streamer REPLICATION PASSWORD '${pair.target.password}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO streamer`,
  );
  expect(await evidence({ secret: { env: 'TARGET_PASSWORD' } })).toBe('');
  expect(await evidence({ secret: { env: 'TARGET_PASSWORD' }, port: 1 })).toMatch(/warns: .*can't be reached/);
  expect(await evidence({ passfile: '/target/only' })).toMatch(/informs: .*own password file/);
  expect(await evidence({ user: 'who' })).toMatch(/blocks: there is no role "who"/);
  await bench.source.query('DROP OWNED BY streamer; DROP ROLE streamer');
  await bench.end();
});

test('long transactions are named', async () => {
  const bench = await makeBench(pair, { schema });
  const forgotten = await connect(pair.source, bench.dbname, { name: 'forgotten' });
  await forgotten.query('BEGIN; SELECT 1');
  const source = await bench.servers.open('orders', { purpose: 'look' });
  const { migration, facts } = await bench.prepare();
  const view = {
    servers: bench.servers,
    migration,
    facts,
    source,
    target: source,
    tools,
    tag: 'none',
    copying: false,
    controlSystem: '1',
    move: null,
  };
  expect((await transactionsOlderThan(0).look(view))[0]).toMatchObject({
    level: 'warns',
    evidence: expect.stringMatching(/^orders: .*postgres, forgotten \([\d.]+ m?s\)/) as string,
  });
  expect(await transactionsOlderThan(60_000).look(view)).toEqual([]);
  await Promise.all([source.end(), forgotten.end()]);
  await bench.end();
});

test('an ordinary role is told what it lacks, and what it may not see', async () => {
  const bench = await makeBench(pair, { schema });
  for (const one of [pair.source, pair.target]) await inDatabase(one, bench.dbname, `CREATE ROLE modest LOGIN PASSWORD '${one.password}'`);
  for (const name of ['source', 'target'] as const)
    bench.configure(name, (entry) => ({ ...entry, server: { ...entry.server, user: 'modest' } }));
  const { failure, findings } = await look(bench);
  expect(failure?.facts['blocks']).toEqual(expect.arrayContaining(['rights of Steadyhand', 'sequences']));
  expect(failure?.message).toContain('may not see and end other sessions');
  expect(findings.find((one) => one.check === 'WAL on the source')).toMatchObject({
    level: 'warns',
    evidence: expect.stringContaining('could not be looked at') as string,
  });
  for (const one of [pair.source, pair.target]) await inDatabase(one, bench.dbname, 'DROP ROLE modest');
  await bench.end();
});
