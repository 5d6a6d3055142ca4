import { afterEach, expect, inject, test } from 'vitest';
import type { Choice } from '../../../domain/decision.ts';
import { eventually } from '../../support/eventually.ts';
import { enginePlace, type EngineTest } from '../../engine/place.ts';
import { worldTables } from '../../harness/rehearsal/activities.ts';
import { startVictim, type Victim } from '../../harness/victim.ts';
import { servePlace, type Answered, type Api } from '../../engine/serve.ts';

const place = enginePlace();
const serve = servePlace();

/** 300 for the whole size: STEADYHAND_FLOOD_SECONDS=300 npm run test:runs -- decisions/flood. */
const seconds = Number(process.env['STEADYHAND_FLOOD_SECONDS'] ?? 30);
const judgedWithinMs = 15_000;
const people = Array.from({ length: 20 }, (_, index) => `visitor-${index + 1}`);
const database = 'orders-1';
/** Each person answers 20 times a second, as far as the answers come. */
const pauseMs = 50;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

const workers: Victim[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map(async (worker) => await worker.end()));
});

/** A worker process of the rehearsal; it stops at no step. */
async function startWorker({ urls, taskQueue }: EngineTest, run: string): Promise<Victim> {
  const worker = await startVictim({
    ...{ run, taskQueue, subject: 'rehearsal', step: 'none', point: 'begun' },
    address: inject('temporalAddress'),
    bundle: inject('workflowBundle'),
    environment: { CONTROL: urls.application, WORLD: urls.superuser },
  });
  workers.push(worker);
  return worker;
}

/** The visitors are people of the inventory, and the database is one that the worker process knows. */
async function begin(): Promise<EngineTest> {
  const engine = await place.begin({ workers: 0 });
  const { people: known, databases } = engine.inventory;
  const visitors = people.map((name) => ({ name, groups: ['visitors'], accounts: {} }));
  const orders = databases['orders'];
  if (!orders) throw new Error('the inventory has no database "orders"');
  engine.inventory = { ...engine.inventory, people: [...known, ...visitors], databases: { ...databases, [database]: orders } };
  await (await engine.superuser()).query(worldTables);
  return engine;
}

/** Until it is stopped; returns how often each status was answered. */
function flood(api: Api, run: string): () => Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  let over = false;
  const one = async (person: string): Promise<void> => {
    while (!over) {
      const next = pause(pauseMs);
      const { status } = await api.answer(run, person, 'approve');
      statuses[status] = (statuses[status] ?? 0) + 1;
      await next;
    }
  };
  const all = people.map(one);
  return async () => {
    over = true;
    await Promise.all(all);
    return statuses;
  };
}

/** A legitimate answer: accepted at once, and judged to count within the limit. */
async function legitimate(engine: EngineTest, run: string, answer: () => Promise<Answered>): Promise<number> {
  const began = Date.now();
  const { status, body } = await answer();
  expect([200, 202], JSON.stringify(body)).toContain(status);
  await eventually(async () => {
    const row = (await engine.detail(run)).decisions.find((one) => one.id === body['decision']);
    expect(row?.counts, row?.because ?? '').not.toBe(false);
    return row?.counts === true ? true : undefined;
  });
  return Date.now() - began;
}

test(
  'answers that can’t count, all the time: legitimate ones are judged in time, also while the only worker is killed and comes back',
  { timeout: (seconds + 120) * 1_000 },
  async () => {
    const engine = await begin();
    const api = await serve.begin(engine);
    const run = await api.start('ada', { database });
    const worker = await startWorker(engine, run);
    await engine.asked(run, 'agree-first');
    const stop = flood(api, run);
    const answer = (person: string, choice: Choice) => async () => await api.answer(run, person, choice);

    await pause((seconds * 1_000) / 3);
    worker.signal('SIGKILL');
    const killed = Date.now();
    const away = legitimate(engine, run, answer('grace', 'approve'));
    await startWorker(engine, run);
    const back = Date.now() - killed;
    const took = { away: await away, approval: await legitimate(engine, run, answer('linus', 'approve')), cancel: 0 };
    await engine.asked(run, 'agree-last');
    await pause((seconds * 1_000) / 3);
    const path = `/v1/runs/${run.split('/')[2]}/cancel`;
    took.cancel = await legitimate(engine, run, async () => await api.call('ada', 'POST', path, { reason: 'enough' }));
    expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
    await pause((seconds * 1_000) / 3);
    const statuses = await stop();

    const { decisions } = await engine.detail(run);
    console.log({ seconds, statuses, back, took, rows: decisions.length });
    for (const [what, ms] of Object.entries(took)) expect(ms, what).toBeLessThan(judgedWithinMs);
    const refused = decisions.filter((one) => one.counts !== true);
    expect(refused.filter((one) => !people.includes(one.person))).toEqual([]);
    // Four questions at most: two approvals, the run, and all that nobody asked.
    expect(refused.length).toBeLessThanOrEqual(people.length * 20 * 4);
    const { historyLength } = await engine.client.workflow.getHandle(run).describe();
    expect(historyLength).toBeLessThan(300);
  },
);
