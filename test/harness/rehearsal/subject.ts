import pg from 'pg';
import { ulid } from 'ulid';
import { expect, inject } from 'vitest';
import { application, startControlServer, templateControl } from '../../support/control-server.ts';
import { rehearsal } from '../../support/rehearsal-plan.ts';
import { createFaults } from '../faults.ts';
import type { Executed, Stage, Subject, World } from '../stage.ts';
import { startWorker } from '../worker.ts';
import { inventory, rehearsalActivities, worldTables } from './activities.ts';

/** The small runbook that tries every word of the engine; its worlds are rows of a table. */
export const rehearsalSubject: Subject = {
  runbook: rehearsal,
  absent: ['unneeded'],
  people: { asks: 'ada', agree: ['grace', 'linus'], operates: 'grace' },
  stage,
};

async function stage(address = inject('temporalAddress')): Promise<Stage> {
  const server = await startControlServer();
  const environment = { CONTROL: server.url(templateControl, application), WORLD: await worldDatabase(server.url) };
  const taskQueue = `rehearsal-${ulid()}`;
  const bundle = inject('workflowBundle');
  const faults = createFaults();
  const { activities, control, client, world, close } = await rehearsalActivities({ environment, address, faults });
  const worker: Stage['worker'] = async (queue) => await startWorker({ address, taskQueue: queue, bundle, faults, activities });
  const stopWorker = await worker(taskQueue);
  let number = 0;
  return {
    ...{ control, client, taskQueue, faults, worker },
    inventory: () => inventory,
    processOf: { subject: 'rehearsal', environment, address, bundle },
    world: async () => {
      number += 1;
      return await Promise.resolve(newWorld(world, `orders-${number}`));
    },
    end: async () => {
      await stopWorker();
      await close();
      await server.stop();
    },
  };
}

async function worldDatabase(url: (database: string) => string): Promise<string> {
  const run = async (database: string, text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url(database) });
    await client.connect();
    await client.query(text);
    await client.end();
  };
  await run('postgres', 'CREATE DATABASE world');
  await run('world', worldTables);
  return url('world');
}

function newWorld(world: pg.Pool, database: string): World {
  const things = async (): Promise<string[]> => {
    const { rows } = await world.query<{ thing: string }>('SELECT thing FROM things WHERE database = $1 ORDER BY 1', [database]);
    return rows.map((row) => row.thing);
  };
  return {
    database,
    input: { word: 'hello' },
    snapshot: things,
    executed: async () => {
      const { rows } = await world.query<{ effect: string }>('SELECT effect FROM effects WHERE database = $1 ORDER BY place', [database]);
      return rows.map((row) => executedOf(row.effect));
    },
    makes: ({ text }) => text.startsWith('make '),
    // `second` is the one that people may skip.
    judge: async () => expect((await things()).filter((one) => one !== 'second')).toEqual(['first', 'last', 'tidy']),
    end: async () => await Promise.resolve(),
  };
}

/** `+first` is what the plan calls `make first`. */
function executedOf(effect: string): Executed {
  const step = effect.slice(1);
  return { step, on: 'worker', text: `${effect.startsWith('+') ? 'make' : 'unmake'} ${step}` };
}
