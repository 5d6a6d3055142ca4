import type pg from 'pg';
import type { Heart } from '../heart.ts';
import { until } from '../until.ts';
import { pause } from './run-to-end.ts';

const beatsBeforeMs = 3_000;
const beatsAfterMs = 500;

/** Each heartbeat places an order, too: by these the verification tells the newest row. */
const placing = `
  CREATE FUNCTION place() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO orders (total) VALUES (0); RETURN NULL; END';
  CREATE TRIGGER order_placed AFTER INSERT ON beats FOR EACH ROW EXECUTE FUNCTION place()`;

/** The tables that a heart beats into. */
export async function makeTables(owner: pg.Client): Promise<void> {
  for (const table of ['beats', 'parcels'])
    await owner.query(`CREATE TABLE ${table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)`);
  await owner.query(placing);
}

/** Drops the table that the hearts beat into; the whole second before it. */
export async function accident(hearts: readonly Heart[], owner: pg.Client, say: (text: string) => void): Promise<Date> {
  const all = (): Promise<true | undefined> => Promise.resolve(hearts.every((one) => one.beats.length > 0) || undefined);
  await until('the application writes', all, { withinMs: 20_000 });
  await pause(beatsBeforeMs);
  const target = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 1_000);
  await pause(target.getTime() - Date.now() + beatsAfterMs);
  for (const heart of hearts) heart.into('beats');
  await pause(beatsAfterMs);
  await owner.query('DROP TABLE parcels');
  say(`DROP TABLE parcels, by accident, at ${new Date().toISOString()}.\n`);
  return target;
}
