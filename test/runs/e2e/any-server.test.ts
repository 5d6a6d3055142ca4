import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { RunDetail } from '../../../control/contract.ts';
import { eventually } from '../../support/eventually.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { setUpByHand, type OwnServers } from '../../e2e/own-servers.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
}, 30_000);

if (postgres15 === undefined) console.log('PostgreSQL 15 is not installed: the embedded 16 moves, its schema made on both sides.');
const older = postgres15 === undefined ? 'the embedded 16' : "Debian's PostgreSQL 15";

test(`${older} moves to 18 by the documentation alone: TLS and SCRAM only, no superuser, two workers of which one is killed`, async () => {
  const own = await setUpByHand(endings);
  const application = writing(own);
  const schema = postgres15 === undefined ? ['-i', 'schema=already-there'] : [];
  const asked = await own.steadyhand('mara', 'start', 'migration-cutover', 'orders', '-i', 'target=orders-next', ...schema);
  const run = z.string().parse(/[0-9A-HJKMNP-TV-Z]{26}(?= {2}migration-cutover)/.exec(asked)?.[0]);
  await agreed(own, run, 'approve-prepare');
  await until(own, run, (now) => now.steps.some((step) => step.id === 'subscribe' && step.state !== 'pending'));
  own.workers[0]?.kill('SIGKILL');
  await agreed(own, run, 'approve-switch');
  const closed = await until(own, run, (now) => now.state === 'closed');
  expect(closed).toMatchObject({
    outcome: 'succeeded',
    evidence: { compare: { tablesDiffering: 0, sequencesBehind: 0, method: 'snapshot' }, retire: { lateWrites: 0 } },
  });
  expect(closed.steps.filter((step) => step.state === 'absent').map((step) => step.id)).toEqual([
    ...(postgres15 === undefined ? ['copy-schema'] : []),
    'try-alias',
    'hold-triggers',
    'freeze-ddl',
    'carry-subscribers',
  ]);
  const acknowledged = await application.end('target');
  expect(acknowledged.afterwards).toBeGreaterThan(0);
  const target = await own.connect('target', 'orders_app', 'application');
  const { rows } = await target.query<{ note: string }>("SELECT note FROM orders WHERE note LIKE 'live %' ORDER BY 1");
  expect(rows.map((row) => row.note)).toEqual(acknowledged.notes.toSorted());
  await target.end();
  await expect(own.connect('source', 'orders_app', 'application')).rejects.toThrow(/permission denied for database/);
  for (const side of ['source', 'target'] as const) expect(await readFile(own.sides[side].logFile, 'utf8')).not.toContain('change-me-too');
  for (const server of [own.sides.source, own.sides.target, own.control]) {
    const plans = await plansByName(server.logFile);
    expect([...plans.keys()]).toContain(server === own.control ? 'steadyhand api' : 'steadyhand look');
    const compiling = [...plans].flatMap(([name, { count, withoutJit }]) =>
      count === withoutJit ? [] : [`${name}: ${count - withoutJit} of ${count}`],
    );
    expect(compiling, `plans of ${server.name} with jit on`).toEqual([]);
  }
}, 120_000);

/** What the server says of its plans, by the session's name: those of ours and of our tools. The subscriptions' are the servers' own. */
async function plansByName(logFile: string): Promise<Map<string, { count: number; withoutJit: number }>> {
  const plans = new Map<string, { count: number; withoutJit: number }>();
  for (const entry of (await readFile(logFile, 'utf8')).split(/^(?=\S+ \S+ \S+ \[\d+\] <)/m)) {
    const name = /<((?:steadyhand |pg_dump|pg_restore)[^>]*)> LOG: {2}duration: [\d.]+ ms {2}plan:/.exec(entry)?.[1];
    if (name === undefined) continue;
    const { count, withoutJit } = plans.get(name) ?? { count: 0, withoutJit: 0 };
    const off = /^\s*Settings: .*\bjit = 'off'/m.test(entry);
    plans.set(name, { count: count + 1, withoutJit: withoutJit + (off ? 1 : 0) });
  }
  return plans;
}

async function until(own: OwnServers, run: string, wanted: (now: RunDetail) => boolean): Promise<RunDetail> {
  let last: RunDetail | undefined;
  return await eventually(
    async () => {
      last = await own.detail(run);
      if (wanted(last)) return last;
      if (last.state === 'closed' || last.state === 'parked') throw new Error(`${last.state}: ${last.because ?? last.failure?.message}`);
      return undefined;
    },
    30_000,
    100,
  );
}

/** jonas of the dba and lena of the owners, once it is asked. */
async function agreed(own: OwnServers, run: string, approval: string): Promise<void> {
  const { questions } = await until(own, run, (now) => now.questions.some((one) => one.approval === approval));
  for (const person of ['jonas', 'lena']) await own.steadyhand(person, 'approve', run, '--digest', z.string().parse(questions[0]?.digest));
}

/** The application: one row after the other on whichever side lets it in; a note counts once its row was acknowledged. */
function writing(own: OwnServers): { end(side: 'target'): Promise<{ notes: string[]; afterwards: number }> } {
  const notes: string[] = [];
  let side: 'source' | 'target' = 'source';
  let stopped = false;
  let afterwards = 0;
  const loop = async (): Promise<void> => {
    let client: pg.Client | undefined;
    for (let number = 1; !stopped; number += 1) {
      try {
        client ??= await own.connect(side, 'orders_app', 'application');
        await client.query('INSERT INTO orders (customer, note) VALUES (1, $1)', [`live ${number}`]);
        notes.push(`live ${number}`);
        if (side === 'target') afterwards += 1;
      } catch {
        await client?.end().catch(() => undefined);
        client = undefined;
        side = side === 'source' ? 'target' : 'source';
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    await client?.end();
  };
  const done = loop();
  endings.push(async () => {
    stopped = true;
    await done;
  });
  return {
    end: async (wanted) => {
      await eventually(() => Promise.resolve((side === wanted && afterwards > 0) || undefined));
      stopped = true;
      await done;
      return { notes, afterwards };
    },
  };
}
