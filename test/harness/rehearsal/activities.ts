import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { pino } from 'pino';
import type { Attempt, Effects } from '../../../activities/attempt.ts';
import { engineVerdicts } from '../../../activities/engine/contract.ts';
import { createEngineActivities } from '../../../activities/engine/create-engine-activities.ts';
import { ensure } from '../../../activities/engine/ensure.ts';
import { createPlanner } from '../../../activities/engine/planner.ts';
import type { Control } from '../../../control/contract.ts';
import { createControl } from '../../../control/control.ts';
import { parseInventory, type Inventory } from '../../../domain/inventory.ts';
import { runNameOf } from '../../../domain/run.ts';
import { isOpen } from '../../../temporal/runs.ts';
import { bind } from '../../../worker/bind.ts';
import type { RehearsalActivities } from '../../support/rehearsal-contract.ts';
import { rehearsal } from '../../support/rehearsal-plan.ts';
import type { Faults } from '../faults.ts';
import type { ProcessOf } from '../stage.ts';

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

const cases = 300;

/** A database of the inventory for each case that there may be. */
export const inventory: Inventory = everyCase(parseInventory(inventoryText, 'steadyhand.yaml'));

function everyCase(parsed: Inventory): Inventory {
  const { orders } = parsed.databases;
  if (!orders) throw new Error('the inventory has orders');
  const names = Array.from({ length: cases }, (_, index) => `orders-${index + 1}`);
  return { ...parsed, databases: Object.fromEntries(names.map((name) => [name, orders])) };
}

/** What is there, and all that was ever done: so that several processes work in one world. */
export const worldTables = `
  CREATE TABLE things (database text, thing text, PRIMARY KEY (database, thing));
  CREATE TABLE effects (place bigint GENERATED ALWAYS AS IDENTITY, database text, effect text)`;

export interface RehearsalActivitiesMade {
  readonly activities: ReturnType<typeof bind>;
  readonly control: Control;
  readonly client: Client;
  readonly world: pg.Pool;
  close(): Promise<void>;
}

/** The engine and the rehearsal's effects, as the product binds its own; of a worker in the tests' process or in one of its own. */
export async function rehearsalActivities({
  environment,
  address,
  faults,
}: Pick<ProcessOf, 'environment' | 'address'> & { readonly faults: Faults }): Promise<RehearsalActivitiesMade> {
  const control = createControl({ connectionString: environment['CONTROL'] ?? '', applicationName: 'harness', max: 20 });
  const world = new pg.Pool({ connectionString: environment['WORLD'] ?? '', max: 5 });
  world.on('error', () => undefined);
  const client = new Client({ connection: await Connection.connect({ address }) });
  const log = pino({ level: 'silent' });
  const catalog = { [rehearsal.name]: rehearsal };
  const takeFacts = { rehearsal: async () => await Promise.resolve({ binding: { shape: 'round' }, observed: { size: 1 } }) };
  const planner = createPlanner({ catalog, commands: {}, control, takeFacts });
  const struck = faults.through(control);
  const holderOpen = async (run: string): Promise<boolean> => await isOpen(client, run);
  const engine = createEngineActivities({ control: struck, catalog, planner, inventory: () => inventory, holderOpen });
  return {
    ...{ control, client, world },
    activities: { ...bind('engine', engine, struck, log, engineVerdicts), ...bind('rehearsal', effectsIn(world), struck, log) },
    close: async () => {
      await Promise.all([control.close(), world.end(), client.connection.close()]);
    },
  };
}

function effectsIn(world: pg.Pool): Effects<RehearsalActivities> {
  const isThere = async ({ run, step }: Attempt): Promise<boolean> => {
    const { rows } = await world.query('SELECT FROM things WHERE database = $1 AND thing = $2', [runNameOf(run).database, step]);
    return rows.length > 0;
  };
  const doing = async (change: string, { run, step }: Attempt, effect: string): Promise<void> => {
    await world.query(`WITH done AS (${change}) INSERT INTO effects (database, effect) VALUES ($1, $3 || $2)`, [
      runNameOf(run).database,
      step,
      effect,
    ]);
  };
  return {
    look: async ({ word }) => await Promise.resolve({ seen: word }),
    make: async (_, attempt) =>
      await ensure<{ made: string }>(attempt, {
        observe: async () => ((await isThere(attempt)) ? { state: 'there', result: { made: attempt.step } } : { state: 'absent' }),
        // Nothing at the target refuses a second one: who acts twice is seen.
        act: async () => await doing('INSERT INTO things VALUES ($1, $2) ON CONFLICT DO NOTHING', attempt, '+'),
      }),
    unmake: async (_, attempt) => {
      if (attempt.intended === null || !(await isThere(attempt))) return await attempt.settle('nothing-to-undo');
      await attempt.current();
      await doing('DELETE FROM things WHERE database = $1 AND thing = $2', attempt, '-');
      await attempt.settle('undone');
    },
    await: async (_, attempt) => {
      attempt.progress({ summary: 'looking for the word' });
      await Promise.resolve();
    },
  };
}
