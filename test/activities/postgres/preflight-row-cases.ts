import type { Finding } from '../../../activities/postgres/contract.ts';
import type { Asked } from './look.ts';

/** One thing that a check finds. `both` is run on both sides, before the others. */
export interface Case {
  readonly check: string;
  readonly level: Finding['level'];
  /** A part of the evidence. */
  readonly says: string;
  readonly both?: string;
  readonly source?: string;
  readonly target?: string;
  readonly asked?: Asked;
  /** Run on the source in the end, for what outlives its database or holds up others. */
  readonly after?: string;
}

const firing = `
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE orders ENABLE ALWAYS TRIGGER stamp;
  CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
  CREATE TRIGGER stamp BEFORE INSERT ON days FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE days_2 ENABLE REPLICA TRIGGER stamp;
  CREATE TRIGGER quiet BEFORE INSERT ON parcels FOR EACH ROW EXECUTE FUNCTION stamp();
  CREATE RULE always AS ON DELETE TO parcels DO ALSO NOTHING; ALTER TABLE parcels ENABLE ALWAYS RULE always;`;

/** A table of an extension that every server has; the first row comes with it, as `pg_extension` is written in the same transaction. */
const history = `
  BEGIN; CREATE TABLE history (id int); INSERT INTO history VALUES (1); UPDATE pg_extension SET extversion = extversion WHERE extname = 'plpgsql';
  ALTER EXTENSION plpgsql ADD TABLE history; COMMIT;`;
const jobs = `
  CREATE TABLE jobs (id int); ALTER EXTENSION plpgsql ADD TABLE jobs;
  UPDATE pg_extension SET extconfig = ARRAY['jobs'::regclass], extcondition = ARRAY[''] WHERE extname = 'plpgsql';`;
const hidden = `
  SET allow_system_table_mods = on; CREATE TABLE pg_catalog.hidden (id int PRIMARY KEY); INSERT INTO pg_catalog.hidden VALUES (1);`;

/** What would lose rows, write them twice, or make the application's changes fail. */
export const rowCases: readonly Case[] = [
  { check: 'replica identity', level: 'blocks', says: 'public.keyless', both: 'CREATE TABLE keyless (id int)' },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.nothing',
    both: 'CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING',
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.lost (the index of its REPLICA IDENTITY was dropped)',
    both: 'CREATE TABLE lost (id int NOT NULL); CREATE UNIQUE INDEX lost_id ON lost (id); ALTER TABLE lost REPLICA IDENTITY USING INDEX lost_id; DROP INDEX lost_id',
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.broken (the index of its identity is invalid)',
    both: "CREATE TABLE broken (id int NOT NULL); CREATE UNIQUE INDEX broken_id ON broken (id); ALTER TABLE broken REPLICA IDENTITY USING INDEX broken_id; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken_id'::regclass",
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.made (a column of its identity is generated',
    both: 'CREATE TABLE made (a int NOT NULL, id int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY)',
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.days_1 (REPLICA IDENTITY NOTHING)',
    both: "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01'); ALTER TABLE days_1 REPLICA IDENTITY NOTHING",
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'another one than on the source, so the first UPDATE would stop the replication: public.two',
    both: 'CREATE TABLE two (a int NOT NULL UNIQUE, b int NOT NULL UNIQUE); ALTER TABLE two REPLICA IDENTITY USING INDEX two_a_key',
    target: 'ALTER TABLE two REPLICA IDENTITY USING INDEX two_b_key',
  },
  {
    check: 'replica identity full',
    level: 'warns',
    says: 'public.slow',
    both: 'CREATE TABLE slow (id int); ALTER TABLE slow REPLICA IDENTITY FULL',
  },
  {
    check: 'replica identity full',
    level: 'blocks',
    says: 'public.odd (place point)',
    both: 'CREATE TABLE odd (id int, place point); ALTER TABLE odd REPLICA IDENTITY FULL',
  },
  { check: 'unlogged tables', level: 'warns', says: 'public.cache', both: 'CREATE UNLOGGED TABLE cache (id int)' },
  {
    check: 'rows left behind',
    level: 'blocks',
    says: 'nothing carries public.cache (1 row) to orders-new: it is unlogged',
    both: 'CREATE UNLOGGED TABLE cache (id int)',
    source: 'INSERT INTO cache VALUES (1)',
  },
  {
    check: 'rows left behind',
    level: 'blocks',
    says: 'nothing carries public.history (3 rows) to orders-new: a table of the extension plpgsql',
    both: history,
    source: 'INSERT INTO history VALUES (2), (3), (4)',
  },
  {
    check: 'rows left behind',
    level: 'warns',
    says: 'public.history (3 rows) stays on orders, as asked',
    both: history,
    source: 'INSERT INTO history VALUES (2), (3), (4)',
    asked: { leave: ['public.history'] },
  },
  {
    check: 'rows left behind',
    level: 'blocks',
    says: 'leave names what would not stay behind on orders: public.orders, public.slip',
    both: history,
    asked: { leave: ['public.orders', 'public.slip', 'public.history'] },
  },
  { check: 'rows left behind', level: 'blocks', says: 'nothing carries pg_catalog.hidden (1 row)', source: hidden },
  { check: 'extension configuration', level: 'informs', says: 'public.jobs; the users', both: jobs, source: 'INSERT INTO jobs VALUES (1)' },
  {
    check: 'extension configuration',
    level: 'blocks',
    says: 'holds rows already, which the switch would replace: configuration tables of extensions: public.jobs',
    both: jobs,
    target: 'INSERT INTO jobs VALUES (1)',
  },
  {
    check: 'extension configuration',
    level: 'blocks',
    says: 'tables, columns or rows of extensions that orders-new lacks: public.history (0 of 1 rows)',
    both: history,
    target: 'DELETE FROM history',
  },
  {
    check: 'extension configuration',
    level: 'blocks',
    says: 'tables, columns or rows of extensions that orders-new lacks: public.jobs.at',
    both: jobs,
    source: 'ALTER TABLE jobs ADD at date',
  },
  { check: 'large objects', level: 'blocks', says: '2 large objects', source: 'SELECT lo_create(0), lo_create(0)' },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.later',
    both: 'CREATE TABLE later (id int PRIMARY KEY DEFERRABLE)',
  },
  {
    check: 'triggers',
    level: 'blocks',
    says: 'stamp of "public"."days_2" (ENABLE REPLICA), stamp of "public"."orders" (ENABLE ALWAYS): what they write would come twice',
    both: firing,
  },
  {
    check: 'triggers',
    level: 'blocks',
    says: 'the event trigger log_ddl (ENABLE ALWAYS)',
    target: `CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION log_ddl(); ALTER EVENT TRIGGER log_ddl ENABLE ALWAYS`,
  },
  {
    check: 'triggers',
    level: 'informs',
    says: 'they are disabled there until the cutover',
    both: firing,
    asked: { triggers: 'hold' },
  },
];
