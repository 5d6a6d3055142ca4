import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { canonical } from '../../domain/digest.ts';
import { makeManyEvents } from '../../bench/control/many-events.ts';
import { createDb } from '../../control/db.ts';
import { createVerifier } from '../../control/verify.ts';
import { anna, application, aRun, controlPlace, owner, rowsRead } from './support.ts';

const place = controlPlace();
let control: Control;
let database: string;
beforeEach(async () => {
  ({ control, database } = await place.fresh(20));
});

const append = (number: number): Promise<number> => control.events.append({ kind: 'run.state', actor: anna, data: { number } });
const appendMany = async (count: number): Promise<void> => {
  for (let number = 1; number <= count; number += 1) await append(number);
};

describe('events', () => {
  it('come back in order, by run and after a cursor', async () => {
    await appendMany(2);
    const run = await aRun(control);
    expect(await append(3)).toBe(4);
    const all = await control.events.list({ limit: 10 });
    expect(all.map((event) => event.seq)).toEqual([1, 2, 3, 4]);
    expect(all[0]).toMatchObject({ run: null, kind: 'run.state', actor: anna, data: { number: 1 } });
    expect(Date.parse(all[0]?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect((await control.events.list({ run, limit: 10 })).map((event) => event.seq)).toEqual([3]);
    expect((await control.events.list({ after: 1, limit: 2 })).map((event) => event.seq)).toEqual([2, 3]);
  });

  it('store canonical text, whatever is in it, without passwords', async () => {
    const data = { z: 1e21, a: [null, 'é\u0000\n\u001f"\\', '\ud800'], text: "password='hunter2' rest", nested: { b: true, a: -0 } };
    await control.events.append({ kind: 'run.state', actor: anna, data });
    const client = await place.client(database, application);
    const { text } = (await client.query<{ text: string }>('SELECT text FROM steadyhand.events')).rows[0] ?? { text: '' };
    expect(canonical(JSON.parse(text))).toBe(text);
    expect(text).not.toContain('hunter2');
    expect(text).toContain('"z":1e+21');
  });

  it('are listed by actor, whatever the name and the other events are made of', async () => {
    const names = ['anna', 'an', 'a"},"data":', '"name":"anna', 'zoé\u2028\n', 'x'.repeat(200), 'x'.repeat(5_000)];
    const data = { text: 'é\u0000', name: 'anna', nested: { actor: { name: 'anna' } } };
    for (const name of names) await control.events.append({ kind: 'run.state', actor: { ...anna, name }, data });
    for (const name of names) {
      const listed = await control.events.list({ actor: name, limit: 10 });
      expect(listed.map(({ actor }) => actor.name)).toEqual([name]);
    }
    expect(await control.events.list({ actor: 'nobody', limit: 10 })).toEqual([]);
  });

  it.each([
    ['update', "UPDATE steadyhand.events SET text = '{}'"],
    ['update of no row', "UPDATE steadyhand.events SET text = '{}' WHERE false"],
    ['delete', 'DELETE FROM steadyhand.events'],
    ['truncate', 'TRUNCATE steadyhand.events'],
    [
      'insert in place of a row',
      "INSERT INTO steadyhand.events (run, kind, text) VALUES (null, 'run.state', '{}') ON CONFLICT (seq) DO UPDATE SET text = 'x'",
    ],
  ])('refuse %s by application, owner and superuser, replica role or not', async (_, statement) => {
    await append(1);
    const app = await place.client(database, application);
    await expect(app.query(statement)).rejects.toThrow('permission denied');
    for (const role of [owner, 'postgres']) {
      const client = await place.client(database, role);
      await expect(client.query(statement), role).rejects.toThrow('append-only');
    }
    const replica = await place.client(database);
    await replica.query('SET session_replication_role = replica');
    await expect(replica.query(statement)).rejects.toThrow('append-only');
    expect(await control.events.verify()).toMatchObject({ rows: 1, bad: null });
  });

  it('chain an insert that goes around the functions, and let nobody choose a place', async () => {
    await append(1);
    const app = await place.client(database, application);
    await app.query("INSERT INTO steadyhand.events (run, kind, text) VALUES (null, 'run.state', '{}')");
    await expect(app.query("INSERT INTO steadyhand.events (seq, run, kind, text) VALUES (9, null, 'run.state', '{}')")).rejects.toThrow(
      'permission denied',
    );
    const replica = await place.client(database);
    await replica.query(
      "SET session_replication_role = replica; INSERT INTO steadyhand.events (seq, kind, text) VALUES (9, 'run.state', '{}')",
    );
    await expect(app.query("INSERT INTO steadyhand.events (run, kind, text) VALUES (null, 'run.state', 'garbage')")).rejects.toThrow(
      'json',
    );
    expect(await control.events.verify()).toMatchObject({ rows: 3, bad: null });
  });

  it('stay one chain without fork or gap under 200 writers at once', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, number) => append(number)));
    const { rows, bad } = await control.events.verify();
    expect({ rows, bad }).toEqual({ rows: 200, bad: null });
    const numbers = (await control.events.list({ limit: 300 })).map((event) => event.data['number']);
    expect(new Set(numbers).size).toBe(200);
  });

  it('leave no gap when a transaction is rolled back', async () => {
    const app = await place.client(database, application);
    await app.query("BEGIN; SELECT steadyhand.append_event(null, 'run.state', '{}'); ROLLBACK");
    expect(await append(1)).toBe(1);
  });
});

describe('verify', () => {
  /** As an intruder with all rights would: triggers off, then the statement. */
  const tamper = async (statement: string): Promise<void> => {
    const client = await place.client(database);
    await client.query(
      `ALTER TABLE steadyhand.events DISABLE TRIGGER append_only; ${statement}; ALTER TABLE steadyhand.events ENABLE ALWAYS TRIGGER append_only`,
    );
  };
  const verified = async (): Promise<{ seq: number; what: string } | null> => (await control.events.verify()).bad;

  it('says that an empty record is empty', async () => {
    expect(await control.events.verify()).toEqual({ from: 1, rows: 0, head: null, anchor: null, bad: null });
  });

  it.each([["text = '{}'"], ["at = at + interval '1 microsecond'"], ["run = 'another'"], ["kind = 'run.closed'"]])(
    'names the row of which %s was edited',
    async (edit) => {
      await appendMany(5);
      await tamper(`UPDATE steadyhand.events SET ${edit} WHERE seq = 3`);
      expect(await verified()).toEqual({ seq: 3, what: expect.stringContaining('was edited') });
      expect(await control.events.verify()).toMatchObject({ rows: 2 });
    },
  );

  it('names the row after one that was edited together with its hash', async () => {
    await appendMany(5);
    await tamper(
      `UPDATE steadyhand.events SET text = '{}', hash = steadyhand.event_hash(previous, seq, at, run, kind, '{}') WHERE seq = 3`,
    );
    expect(await verified()).toEqual({ seq: 4, what: expect.stringContaining('does not continue event 3') });
  });

  it('names a row that is missing', async () => {
    await appendMany(5);
    await tamper('DELETE FROM steadyhand.events WHERE seq = 2');
    expect(await verified()).toEqual({ seq: 3, what: expect.stringContaining('event 2 is missing') });
  });

  it('finds an end that was cut off, or a record written anew, by an anchor', async () => {
    await appendMany(3);
    const { rows: seq, head } = await control.events.verify();
    const anchor = { seq, hash: head ?? '' };
    await append(4);
    expect((await control.events.verify({ anchor })).bad).toBeNull();
    await tamper('DELETE FROM steadyhand.events WHERE seq >= 3');
    expect(await verified()).toBeNull();
    expect((await control.events.verify({ anchor })).bad).toEqual({ seq: 3, what: expect.stringContaining('cut off') });
    await append(33);
    expect((await control.events.verify({ anchor })).bad).toEqual({ seq: 3, what: expect.stringContaining('rewritten') });
  });

  it('agrees with the statement that docs/audit.md gives for checking by hand', async () => {
    await appendMany(1);
    await aRun(control);
    const text = await readFile(new URL('../../docs/audit.md', import.meta.url), 'utf8');
    const statement = /```sql\n(.*?)```/s.exec(text)?.[1] ?? '';
    const client = await place.client(database, application);
    const rows = async (): Promise<unknown[]> => (await client.query(statement)).rows;
    expect(await rows()).toEqual([
      { seq: '1', fits: true },
      { seq: '2', fits: true },
    ]);
    await tamper("UPDATE steadyhand.events SET text = '{}' WHERE seq = 2");
    expect((await rows())[1]).toEqual({ seq: '2', fits: false });
  });

  it('goes on from the last verified row, and notices that this row was rewritten; the whole record shows every edit', async () => {
    await appendMany(3);
    expect(await control.events.verify({ further: true })).toMatchObject({ from: 1, rows: 3 });
    await append(4);
    expect(await control.events.verify({ further: true })).toMatchObject({ from: 4, rows: 4, bad: null });
    expect(await control.events.verify({ further: true })).toMatchObject({ from: 5, rows: 4, bad: null });
    await tamper("UPDATE steadyhand.events SET text = '{}' WHERE seq = 2");
    expect(await control.events.verify({ further: true })).toMatchObject({ from: 5, bad: null });
    expect(await control.events.verify()).toMatchObject({ from: 1, bad: { seq: 2 } });
    // What was found to be bad is not passed over.
    expect(await control.events.verify({ further: true })).toMatchObject({ from: 1, bad: { seq: 2 } });
  });

  it.each([
    ['rewritten', "UPDATE steadyhand.events SET hash = repeat('0', 64) WHERE seq = 3"],
    ['cut off', 'DELETE FROM steadyhand.events WHERE seq = 3'],
  ])('notices that the last verified row was %s, though it does not read those before it', async (_, edit) => {
    await appendMany(3);
    await control.events.verify();
    await tamper(edit);
    expect(await control.events.verify({ further: true })).toMatchObject({
      bad: { seq: 3, what: expect.stringContaining('verified before') },
    });
  });

  it('reads the whole record again a day after it was last read whole, also when it was verified further meanwhile', async () => {
    let now = 0;
    const db = createDb({ connectionString: place.url(database, application), applicationName: 'verifier' });
    const verify = createVerifier(db, () => now);
    await appendMany(3);
    await verify();
    now = 23 * 3_600_000;
    await append(4);
    expect(await verify({ further: true })).toMatchObject({ from: 4 });
    now = 24 * 3_600_000;
    expect(await verify({ further: true })).toMatchObject({ from: 1, rows: 4 });
    await db.end();
  });

  it('is under way once: eight who ask at the same time share it, and one who asks for less than the whole shares that', async () => {
    const client = await place.client(database);
    await makeManyEvents(client, 4_500);
    const read = async (ask: (events: Control['events']) => Promise<unknown>): Promise<number> =>
      await rowsRead(place, database, async ({ events }) => await ask(events));
    const one = await read((events) => events.verify());
    expect(one).toBeGreaterThanOrEqual(4_500);
    const all = await read((events) => Promise.all(Array.from({ length: 8 }, (_, at) => events.verify({ further: at % 2 === 1 }))));
    expect(all).toBeLessThan(1.5 * one);
    // Of two that ask for the whole, and for more than what is under way, one more walk serves both.
    const further = async (events: Control['events']): Promise<unknown> => {
      await events.verify();
      return await Promise.all([events.verify({ further: true }), events.verify(), events.verify()]);
    };
    expect(await read(further)).toBeLessThan(2.5 * one);
  });

  it('walks more than one batch', async () => {
    const client = await place.client(database, application);
    await client.query("SELECT steadyhand.append_event(null, 'run.state', '{}') FROM generate_series(1, 4100)");
    expect(await control.events.verify()).toMatchObject({ rows: 4_100, bad: null });
  });
});
