import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { ulid } from 'ulid';
import { expect, inject } from 'vitest';
import type { Attempt, Effects } from '../../activities/attempt.ts';
import { engineVerdicts } from '../../activities/engine/contract.ts';
import { createEngineActivities } from '../../activities/engine/create-engine-activities.ts';
import { createPlanner } from '../../activities/engine/planner.ts';
import { createControl } from '../../control/control.ts';
import type { Control } from '../../control/contract.ts';
import { parseInventory, type Inventory } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import { isOpen } from '../../temporal/runs.ts';
import { bind } from '../../worker/bind.ts';
import { application, startControlServer, templateControl } from '../support/control-server.ts';
import { rehearsalWork, type RehearsalActivities } from '../support/rehearsal-contract.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import { createWorld, type World as Memory } from '../support/world.ts';
import { createFaults } from './faults.ts';
import type { Stage, Subject, World } from './stage.ts';
import { startWorker } from './worker.ts';

const inventoryText = `
version: 1
people:
  - { name: ada, groups: [dba, on-call] }
  - { name: grace, groups: [dba] }
  - { name: linus, groups: [orders-team] }
policies:
  default:
    requesters: [on-call]
    operators: [dba]
    approvals: { low: auto, medium: auto, high: { quorum: [{ group: dba }, { group: owners }], deadline: 1h } }
databases:
  orders: { provider: streaming, owners: orders-team, server: { host: localhost, dbname: orders, user: steadyhand } }
`;

/** The small runbook that tries every word of the engine, over worlds in memory. */
export const rehearsalSubject: Subject = {
  runbook: rehearsal,
  absent: ['unneeded'],
  people: { asks: 'ada', agree: ['grace', 'linus'], operates: 'grace' },
  stage,
};

async function stage(): Promise<Stage> {
  const server = await startControlServer();
  const connectionString = server.url(templateControl, application);
  const control = createControl({ connectionString, applicationName: 'harness', max: 20 });
  const address = inject('temporalAddress');
  const client = new Client({ connection: await Connection.connect({ address }) });
  const taskQueue = `rehearsal-${ulid()}`;
  const faults = createFaults();
  const worlds = new Map<string, Memory>();
  const inventory = inventoryOf(worlds);
  const activities = activitiesOf({ control: faults.through(control), client, inventory, worlds });
  const stopWorker = await startWorker({ address, taskQueue, faults, activities });
  return {
    ...{ control, client, taskQueue, faults, inventory },
    world: async () => await Promise.resolve(newWorld(worlds)),
    end: async () => {
      await stopWorker();
      await control.close();
      await client.connection.close();
      await server.stop();
    },
  };
}

/** Every world is a database of the inventory. */
function inventoryOf(worlds: ReadonlyMap<string, Memory>): () => Inventory {
  const parsed = parseInventory(inventoryText, 'steadyhand.yaml');
  const { orders } = parsed.databases;
  if (!orders) throw new Error('the inventory has orders');
  return () => ({ ...parsed, databases: Object.fromEntries([...worlds.keys()].map((name) => [name, orders])) });
}

function newWorld(worlds: Map<string, Memory>): World {
  const database = `orders-${worlds.size + 1}`;
  const memory = createWorld();
  worlds.set(database, memory);
  return {
    database,
    input: { word: 'hello' },
    snapshot: async () => await Promise.resolve([...memory.things].toSorted()),
    effects: async () => await Promise.resolve([...memory.effects]),
    judge: async () => {
      // `second` is the one that people may skip.
      expect([...memory.things].filter((one) => one !== 'second')).toEqual(['first', 'last', 'tidy']);
      await Promise.resolve();
    },
    end: async () => await Promise.resolve(),
  };
}

interface Parts {
  readonly control: Control;
  readonly client: Client;
  readonly inventory: () => Inventory;
  readonly worlds: ReadonlyMap<string, Memory>;
}

function activitiesOf({ control, client, inventory, worlds }: Parts): ReturnType<typeof bind> {
  const log = pino({ level: 'silent' });
  const catalog = { [rehearsal.name]: rehearsal };
  const memory = (database: string): Memory => {
    const found = worlds.get(database);
    if (!found) throw new Error(`no world of ${database}`);
    return found;
  };
  const takeFacts = { rehearsal: async ({ database }: { database: string }) => await memory(database).takeFacts() };
  const planner = createPlanner({ catalog, commands: {}, control, takeFacts });
  const engine = createEngineActivities({ control, catalog, planner, inventory, holderOpen: (run) => isOpen(client, run) });
  return { ...bind('engine', engine, control, log, engineVerdicts), ...bind('rehearsal', inWorlds(memory), control, log) };
}

/** Each attempt in the world of its run's database. */
function inWorlds(memory: (database: string) => Memory): Effects<RehearsalActivities> {
  const verbs = Object.keys(rehearsalWork) as (keyof RehearsalActivities)[];
  const effects = verbs.map((verb) => [
    verb,
    async (input: { word: string }, attempt: Attempt) => await memory(runNameOf(attempt.run).database).activities[verb](input, attempt),
  ]);
  // The keys are the contract's verbs, each called with its own input.
  return Object.fromEntries(effects) as Effects<RehearsalActivities>;
}
