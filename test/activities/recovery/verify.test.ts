import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Verification } from '../../../activities/recovery/contract.ts';
import { verify } from '../../../activities/recovery/verify.ts';
import { verify as planned } from '../../../activities/recovery/verify-commands.ts';
import type { VerificationRules } from '../../../domain/verification.ts';
import { failureOf } from '../../control/support.ts';
import { createJournal } from '../../support/attempt.ts';
import { connect, inDatabase, loggedStatements, startPair, unplanned, type Pair } from '../support.ts';
import { recoveryBench, values, type RecoveryBench } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  await inDatabase(pair.source, 'postgres', `ALTER SYSTEM SET track_commit_timestamp = on`);
  await inDatabase(pair.source, 'postgres', `CREATE ROLE plain LOGIN PASSWORD 'secret'`);
  await pair.source.restart();
}, 60_000);
afterAll(async () => await pair.stop());

const schema = `CREATE TABLE beats (id int PRIMARY KEY, at timestamptz); INSERT INTO beats SELECT i, '2026-01-01Z'::timestamptz + i * interval '1 s' FROM generate_series(1, 1000) i;
  CREATE TABLE versions (version text); INSERT INTO versions VALUES ('41'), ('42')`;
const rules: VerificationRules = {
  assertions: [{ name: 'beats are there', sql: 'SELECT count(*) = 1000 FROM beats;' }],
  newestRow: { schema: 'public', table: 'beats', column: 'at' },
  schemaVersion: 'SELECT max(version) FROM versions',
};

interface Given {
  readonly change?: Partial<VerificationRules>;
  readonly target?: string | null;
  readonly user?: string;
}

function verifying(bench: RecoveryBench, { change = {}, target = null, user }: Given = {}) {
  const { servers, recovery } = bench;
  const as = user === undefined ? {} : { user, secret: { env: 'PLAIN' } };
  return {
    servers,
    recovery: { ...recovery, restored: { ...recovery.restored, ...as } },
    facts: { rules: { ...rules, ...change }, target },
  };
}

const states = (seen: Verification): Record<string, string> => Object.fromEntries(seen.tiers.map((one) => [one.tier, one.state]));
const allPassed = {
  catalog: 'passed',
  tables: 'passed',
  indexes: 'passed',
  assertions: 'passed',
  'newest-row': 'passed',
  'schema-version': 'passed',
};

test('a sound copy passes every tier, and nothing is left on it', async () => {
  const bench = await recoveryBench(pair, { schema });
  const seen = await verify(verifying(bench), createJournal().attempt('verify'));
  expect(states(seen)).toEqual(allPassed);
  expect(seen.findings).toEqual([]);
  expect(seen.tiers.find((one) => one.tier === 'indexes')?.checked).toBeGreaterThan(100);
  expect(Date.parse(seen.newestRowAt ?? '')).toBeGreaterThan(Date.parse('2026-06-01'));
  expect(await values(bench.restored, `SELECT extname::text FROM pg_extension`)).toEqual(['plpgsql']);
  const logged = await loggedStatements(pair.source, 'steadyhand verify');
  const commands = planned({}, { binding: { verification: { rules, target: null } } });
  const own = /^(SAVEPOINT|RELEASE|SELECT n\.nspname|SELECT p\.proname|SELECT c\.oid::int8)/;
  expect(unplanned(logged, commands).filter((one) => !own.test(one))).toEqual([]);
  await bench.end();
});

test('an index that lacks rows, a broken page, an assertion that is false or cannot be asked, a row after the moment: each is told', async () => {
  const broken = `${schema}; CREATE SEQUENCE counter; CREATE FUNCTION key(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE INDEX lies ON beats (key(id));
    CREATE OR REPLACE FUNCTION key(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 5000'; CREATE TABLE torn AS SELECT i FROM generate_series(1, 100) i; CHECKPOINT`;
  const bench = await recoveryBench(pair, { schema: broken, since: `INSERT INTO versions VALUES ('43')` });
  const [file] = await values(bench.restored, `SELECT pg_relation_filepath('torn')`);
  await bench.restored.end();
  await pair.source.stop();
  const page = await open(join(pair.source.dataDirectory, String(file)), 'r+');
  await page.write(Buffer.from([0x01, 0x90, 0x38, 0x00]), 0, 4, 24);
  await page.close();
  await pair.source.restart();
  const assertions = [
    { name: 'false', sql: 'SELECT false' },
    { name: 'unknown', sql: 'SELECT NULL::boolean' },
    { name: 'writes', sql: `SELECT nextval('counter') > 0` },
    { name: 'two', sql: 'SELECT true UNION ALL SELECT true' },
  ];
  const given = verifying(bench, { change: { assertions }, target: '2026-01-01T00:00:00Z' });
  const failure = await failureOf('verification-failed', verify(given, createJournal().attempt('verify')));
  // The failure carries what verify made.
  const seen = failure.facts['verification'] as Verification;
  expect(states(seen)).toEqual({ ...allPassed, tables: 'failed', indexes: 'failed', assertions: 'failed', 'newest-row': 'failed' });
  const what = seen.findings.map((one) => `${one.tier} ${one.level} ${one.what}`);
  expect(what).toEqual([
    expect.stringMatching(/^tables fails .*torn.*block 0, row 1: line pointer/),
    expect.stringMatching(/^indexes fails .*lies.*lacks matching index tuple/),
    expect.stringContaining('assertions fails "false" does not hold: false'),
    expect.stringContaining('"unknown" does not hold: null'),
    expect.stringContaining(`"writes" can't be asked`),
    expect.stringContaining('"two" does not hold: 2 rows'),
    expect.stringContaining('newest-row fails the newest row of public.beats'),
    expect.stringContaining('schema-version warns the restored schema is version 42, the one in use 43'),
  ]);
  expect(JSON.stringify(failure.facts).length).toBeLessThan(16_000);
  await bench.live.end();
}, 60_000);

test('an index whose function fails, as it does on the live server, is named and fails nothing', async () => {
  const byPath = `${schema}; CREATE FUNCTION plus(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
    CREATE FUNCTION by_path(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plus($1); END'; CREATE INDEX found ON beats (by_path(id))`;
  const bench = await recoveryBench(pair, { schema: byPath });
  const seen = await verify(verifying(bench), createJournal().attempt('verify'));
  expect(states(seen)).toEqual(allPassed);
  expect(seen.findings).toEqual([{ tier: 'indexes', level: 'warns', what: expect.stringMatching(/found" could not be checked: .*plus/) }]);
  await bench.end();
});

test('by the column where no commit times are kept: to the microsecond', async () => {
  const bench = await recoveryBench(pair, { schema, since: `UPDATE beats SET at = '2026-02-01T00:00:00.000002Z' WHERE id = 5` });
  // The server of the database in use keeps none; here it plays the restored copy.
  const { host, port } = pair.target;
  const on = (target: string) => ({ ...verifying(bench, { target }), recovery: { database: 'orders', restored: { host, port } } });
  const seen = await verify(on('2026-02-01T00:00:00.000002Z'), createJournal().attempt('verify'));
  expect(seen.newestRowAt).toBe('2026-02-01T00:00:00.000002Z');
  await failureOf('verification-failed', verify(on('2026-02-01T01:00:00.000001+01:00'), createJournal().attempt('verify')));
  await bench.end();
});

test('what a role may not do, and what the inventory does not say, is named', async () => {
  const bench = await recoveryBench(pair, { schema });
  await bench.restored.query('GRANT SELECT ON beats TO plain');
  const change = { assertions: [], newestRow: undefined, schemaVersion: undefined };
  const seen = await verify(verifying(bench, { change, user: 'plain' }), createJournal().attempt('verify'));
  expect(states(seen)).toEqual({ ...Object.fromEntries(Object.keys(allPassed).map((one) => [one, 'not-made'])), catalog: 'passed' });
  expect(seen.tiers.find((one) => one.tier === 'tables')?.because).toMatch(/amcheck is not to be had: .*permission denied/);
  await bench.restored.query('CREATE EXTENSION amcheck');
  const again = await verify(verifying(bench, { change, user: 'plain' }), createJournal().attempt('verify'));
  expect(again.tiers.find((one) => one.tier === 'indexes')?.because).toMatch(/this role may not check/);
  await bench.end();
});

test('after a kill it goes on with the next table', async () => {
  const bench = await recoveryBench(pair, { schema });
  const journal = createJournal();
  const stopped = new AbortController();
  const first = journal.attempt('verify', { signal: stopped.signal });
  let saved = 0;
  const dying = {
    ...first,
    save: (checkpoint: unknown): void => {
      first.save(checkpoint);
      saved += 1;
      if (saved === 100) stopped.abort(new Error('killed'));
    },
  };
  await expect(verify(verifying(bench), dying)).rejects.toThrow('killed');
  const second = journal.attempt('verify');
  let more = 0;
  const seen = await verify(verifying(bench), { ...second, save: () => void (more += 1) });
  expect(states(seen)).toEqual(allPassed);
  const checked = seen.tiers.filter((one) => one.tier === 'tables' || one.tier === 'indexes').reduce((sum, one) => sum + one.checked, 0);
  expect(more).toBe(checked - 100);
  await bench.end();
});

test('a server that is gone is no finding: it is tried again', async () => {
  const bench = await recoveryBench(pair, { schema });
  const nowhere = { ...verifying(bench), recovery: { ...bench.recovery, restored: { host: '127.0.0.1', port: 1 } } };
  await failureOf('unreachable', verify(nowhere, createJournal().attempt('verify')));
  await (await connect(pair.source, 'postgres')).end();
  await bench.end();
});
