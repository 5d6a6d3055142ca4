import type pg from 'pg';
import { expect, test, vi } from 'vitest';
import { createCompareActivity } from '../../../activities/postgres/compare.ts';
import { preflight } from '../../../activities/postgres/preflight.ts';
import { catchUp } from '../../../activities/replication/catch-up.ts';
import * as planned from '../../../activities/replication/commands.ts';
import { initialCopy } from '../../../activities/replication/initial-copy.ts';
import { publish, unpublish } from '../../../activities/replication/publish.ts';
import { retire } from '../../../activities/replication/retire.ts';
import { subscribe } from '../../../activities/replication/subscribe.ts';
import * as switching from '../../../activities/replication/switch/commands.ts';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import { unsubscribe } from '../../../activities/replication/unsubscribe.ts';
import type { Finding } from '../../../activities/postgres/contract.ts';
import { Failure } from '../../../domain/failure.ts';
import { createNoReturn, withFault } from '../switch/faults.ts';
import { connect, loggedStatements, undecided, unplanned } from '../support.ts';
import { waitFor } from './move.ts';
import { ordinaryRoles, type Begun } from './ordinary-roles.ts';

vi.setConfig({ testTimeout: 30_000 });
const place = ordinaryRoles();

/** As the application. */
async function enter(side: 'source' | 'target', dbname: string): Promise<pg.Client> {
  return await connect(place.pair[side], dbname, { user: 'app', password: 'app' });
}

type Activities = ReturnType<typeof createSwitchActivities>;

const nobodyElse = async (): Promise<never[]> => await Promise.resolve([]);

async function prepared({ bench, sides, journal }: Begun, noReturn = createNoReturn(() => 1)): Promise<Activities> {
  const activities = createSwitchActivities({ servers: bench.servers, facts: bench.factsOf, noReturn, journalOf: nobodyElse });
  await activities.closeTarget(sides.migration, journal.attempt('close-target'));
  await publish(sides, journal.attempt('publish'));
  await subscribe(sides, journal.attempt('subscribe'));
  for (const [step, look] of [
    ['initial-copy', initialCopy],
    ['catch-up', catchUp],
  ] as const)
    await waitFor(
      async (attempt) => await look(sides, attempt),
      () => journal.attempt(step),
    );
  return activities;
}

/** Who holds which right on the database, by whom. */
async function rightsOn(side: 'source' | 'target', dbname: string): Promise<unknown[]> {
  const client = await connect(place.pair[side], 'postgres');
  try {
    const { rows } = await client.query(
      `SELECT coalesce(r.rolname, 'PUBLIC') AS who, privilege_type, is_grantable, grantor::regrole::text AS by
         FROM pg_database d CROSS JOIN aclexplode(coalesce(datacl, acldefault('d', datdba))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE datname = $1 ORDER BY 1, 2, 4`,
      [dbname],
    );
    return rows;
  } finally {
    await client.end();
  }
}

test('with the rights of docs/servers.md and no more, a database moves and what is done is what the plan says', async () => {
  const one = await place.begin();
  const { bench, sides, journal } = one;
  const { pair } = place;
  expect([sides.facts.binding.source.superuser, sides.facts.binding.target.superuser]).toEqual([false, false]);
  let findings: readonly Finding[] = [];
  const deps = {
    findings: async (_: string, body: unknown) => {
      await Promise.resolve();
      // The preflight's own list.
      findings = body as Finding[];
    },
    journal: async () => await Promise.resolve([]),
    moves: { from: async () => await Promise.resolve(null) },
    controlSystemIdentifier: async () => await Promise.resolve('another'),
    tools: { pgDump: undefined, pgRestore: undefined },
  };
  await preflight(deps, sides, journal.attempt('preflight'));
  expect(findings.filter((finding) => finding.level === 'blocks')).toEqual([]);
  expect(findings.find((finding) => finding.check === 'password in the log')).toBeUndefined();

  const noReturn = createNoReturn(() => 1);
  const activities = await prepared(one, noReturn);
  await expect(enter('target', bench.dbname)).rejects.toThrow(/permission denied for database/);
  const client = await enter('source', bench.dbname);
  await client.query("INSERT INTO orders (note) VALUES ('the last one')");
  await waitFor(
    async (attempt) => await activities.gate(sides.migration, attempt),
    () => journal.attempt('gate'),
  );
  await activities.switchOver(sides.migration, journal.attempt('switch'));
  await expect(client.query('SELECT 1')).rejects.toThrow();
  await expect(enter('source', bench.dbname)).rejects.toThrow(/permission denied for database/);
  const after = await enter('target', bench.dbname);
  await after.query("INSERT INTO orders (note) VALUES ('the first one')");
  await after.end();
  const compared = await createCompareActivity({ servers: bench.servers, facts: bench.factsOf, noReturn }).compare(
    sides.migration,
    journal.attempt('compare'),
  );
  expect(compared).toMatchObject({ rowsCompared: 321, tablesDiffering: 0, method: 'snapshot' });
  expect(await retire(sides, noReturn, journal.attempt('retire'))).toEqual({ lateWrites: 0 });

  const { migration, facts } = sides;
  const steps = {
    'close-target': switching.closeTarget(migration, facts),
    publish: planned.publish(migration, facts),
    subscribe: planned.subscribe(migration, facts),
    switch: switching.switchOver(migration, facts),
    retire: planned.retire(migration, facts),
  };
  for (const [step, commands] of Object.entries(steps)) {
    for (const side of ['source', 'target'] as const) {
      const done = await loggedStatements(pair[side], `steadyhand ${step}`);
      const here = commands.filter((command) => command.on === side);
      expect(unplanned(done, here), `${step} on the ${side}`).toEqual([]);
    }
  }
  expect(await pair.target.log()).not.toContain('change-me-too');
});

test('the undo gives CONNECT back exactly, and DDL that nothing refused is noticed before anything is held up', async () => {
  const one = await place.begin();
  const { bench, sides, journal } = one;
  const activities = await prepared(one);
  const before = await rightsOn('source', bench.dbname);
  await activities.reopenTarget(sides.migration, journal.attempt('close-target', { undo: true }));
  expect(await rightsOn('target', bench.dbname)).toEqual(before);
  await activities.closeTarget(sides.migration, journal.attempt('close-target', { generation: 2 }));

  // As a migration of the application would, in the middle of the run.
  const app = await connect(place.pair.source, bench.dbname);
  await app.query('SET ROLE orders_owner; ALTER TABLE orders ADD COLUMN late text');
  await app.end();
  await expect(activities.gate(sides.migration, journal.attempt('gate'))).rejects.toMatchObject({ code: 'objects-differ' });
  await expect(activities.switchOver(sides.migration, journal.attempt('switch'))).rejects.toMatchObject({ code: 'objects-differ' });
  expect(await rightsOn('source', bench.dbname)).toEqual(before);
  await (await enter('source', bench.dbname)).end();
  await unsubscribe(sides, undecided, journal.attempt('subscribe', { undo: true }));
  await unpublish(sides, journal.attempt('publish', { undo: true }));
});

test('an attempt that fails gives the old side back, one that died is taken up or undone', async () => {
  // Others decide who connects, and the stream's login reads by grants on tables.
  const grants = `REVOKE pg_read_all_data FROM steadyhand_replication; GRANT SELECT ON orders, letters TO steadyhand_replication; DO $$ BEGIN
    EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO app WITH GRANT OPTION', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO steadyhand, steadyhand_replication', current_database()); END $$`;
  const one = await place.begin({ also: { source: grants } });
  const { bench, sides, journal } = one;
  const noReturn = createNoReturn(() => 1);
  const activities = await prepared(one, noReturn);
  const before = await rightsOn('source', bench.dbname);
  const failing = async (error: Error, generation = 1): Promise<unknown> => {
    const servers = withFault(bench.servers, 'orders-new', 'setval', error);
    const faulty = createSwitchActivities({ servers, facts: bench.factsOf, noReturn, journalOf: nobodyElse });
    return await faulty.switchOver(sides.migration, journal.attempt('switch', { generation })).catch((thrown: unknown) => thrown);
  };
  /** What keeps everything held, as the death of the worker does. */
  const death = new Failure('uncertain', 'nobody knows', { part: 'no return' });

  expect(await failing(new Error('the network'))).toMatchObject({ code: 'switch-abandoned' });
  expect(await rightsOn('source', bench.dbname)).toEqual(before);
  await (await enter('source', bench.dbname)).end();

  expect(await failing(death)).toBe(death);
  await expect(enter('source', bench.dbname)).rejects.toThrow(/permission denied for database/);
  await activities.switchBack(sides.migration, journal.attempt('switch', { undo: true }));
  expect(await rightsOn('source', bench.dbname)).toEqual(before);
  await (await enter('source', bench.dbname)).end();

  expect(await failing(death, 2)).toBe(death);
  await activities.switchOver(sides.migration, journal.attempt('switch', { generation: 2 }));
  const after = await enter('target', bench.dbname);
  await after.query("INSERT INTO orders (note) VALUES ('the first one')");
  await after.end();
  await expect(enter('source', bench.dbname)).rejects.toThrow(/permission denied for database/);
});
