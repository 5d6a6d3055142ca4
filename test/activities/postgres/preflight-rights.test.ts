import { expect, test, vi } from 'vitest';
import type { Finding } from '../../../activities/postgres/contract.ts';
import { ordinaryRoles } from '../replication/ordinary-roles.ts';
import { look } from './look.ts';

vi.setConfig({ testTimeout: 20_000 });
const place = ordinaryRoles();

/** Each right that docs/servers.md gives, taken away again. */
interface Case {
  readonly without: string;
  readonly on: 'source' | 'target';
  readonly check?: string;
  readonly level?: Finding['level'];
  /** A part of the evidence. */
  readonly says: string;
}

const cases: readonly Case[] = [
  { on: 'source', without: 'ALTER ROLE steadyhand NOREPLICATION', level: 'warns', says: 'has no REPLICATION attribute' },
  { on: 'source', without: 'REVOKE orders_owner FROM steadyhand', says: 'does not own the database, so it cannot close it' },
  { on: 'source', without: 'REVOKE orders_owner FROM steadyhand', says: 'does not own tables (2): public.letters, public.orders' },
  { on: 'source', without: 'REVOKE pg_monitor FROM steadyhand', says: 'may not see and end other sessions' },
  { on: 'source', without: 'REVOKE pg_signal_backend FROM steadyhand', says: 'may not see and end other sessions' },
  {
    on: 'source',
    without: 'ALTER ROLE steadyhand NOBYPASSRLS',
    check: 'row-level security',
    says: 'holds "steadyhand" on orders back from rows of tables: public.letters',
  },
  {
    on: 'source',
    without: 'ALTER ROLE steadyhand_replication NOBYPASSRLS',
    check: 'row-level security',
    says: 'holds "steadyhand_replication" on orders back from rows of tables: public.letters',
  },
  {
    on: 'source',
    without: 'REVOKE pg_read_all_data FROM steadyhand_replication',
    check: 'replication login',
    says: '"steadyhand_replication" may not read tables (2)',
  },
  {
    on: 'source',
    without: 'ALTER ROLE steadyhand_replication NOREPLICATION',
    check: 'replication login',
    level: 'warns',
    says: 'has no REPLICATION attribute',
  },
  { on: 'target', without: 'REVOKE orders_owner FROM steadyhand', says: 'is no member of roles that own tables: orders_owner' },
  {
    on: 'target',
    without: 'REVOKE SET OPTION FOR orders_owner FROM steadyhand',
    says: 'is no member of roles that own tables: orders_owner',
  },
  { on: 'target', without: 'REVOKE pg_create_subscription FROM steadyhand', says: 'may not create a subscription' },
  { on: 'target', without: 'REVOKE pg_monitor FROM steadyhand', says: 'may not see and end other sessions' },
  {
    on: 'target',
    without: 'ALTER ROLE steadyhand NOBYPASSRLS',
    check: 'row-level security',
    says: 'holds "steadyhand" on orders-new back from rows of tables: public.letters',
  },
  {
    on: 'target',
    without: 'REVOKE EXECUTE ON FUNCTION pg_catalog.pg_show_replication_origin_status() FROM steadyhand',
    says: 'may not see how far the stream was applied',
  },
  {
    on: 'target',
    without: 'REVOKE SELECT ON pg_catalog.pg_replication_origin_status FROM steadyhand',
    says: 'may not see how far the stream was applied',
  },
  {
    on: 'target',
    without: 'REVOKE SET ON PARAMETER log_statement FROM steadyhand',
    check: 'password in the log',
    level: 'warns',
    says: 'the replication password would stand in its log',
  },
  // And what would leave a gap in the fence.
  { on: 'source', without: 'GRANT steadyhand_replication TO app', says: "members of Steadyhand's roles, so they could still connect" },
  {
    on: 'target',
    without: `DO $$ BEGIN
      EXECUTE format('GRANT CONNECT ON DATABASE %I TO app WITH GRANT OPTION', current_database());
      SET LOCAL ROLE app; EXECUTE format('GRANT CONNECT ON DATABASE %I TO pg_monitor', current_database()); END $$`,
    says: 'was granted by others than its owner: pg_monitor by app',
  },
];

test('with all of the rights nothing blocks', async () => {
  const { bench } = await place.begin();
  expect((await look(bench)).failure?.message).toBeUndefined();
});

test.each(cases)('$on: $without → $says', async ({ without, on, check = 'rights of Steadyhand', level = 'blocks', says }) => {
  const { bench } = await place.begin({ also: { [on]: without } });
  const { findings } = await look(bench);
  const found = findings.filter((one) => one.check === check && one.evidence.includes(says));
  expect(
    found.map((one) => one.level),
    JSON.stringify(findings, null, 1),
  ).toEqual([level]);
  expect(found[0]?.fix).not.toBe('');
});

test('a subscription of no superuser must carry its password', async () => {
  const { bench } = await place.begin();
  bench.configure('source', (entry) => ({ ...entry, replication: { user: 'steadyhand_replication', passfile: '/of/the/target' } }));
  expect((await look(bench)).failure?.message).toContain('the inventory has no replication.secret for orders');
});
