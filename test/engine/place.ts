import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { ulid } from 'ulid';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { createEngineActivities } from '../../activities/engine/create-engine-activities.ts';
import { createPlanner } from '../../activities/engine/planner.ts';
import type { Control, RunDetail } from '../../control/contract.ts';
import type { Authorisation, Choice } from '../../domain/decision.ts';
import { parseInventory, groupsOf, type Inventory } from '../../domain/inventory.ts';
import type { RunResult } from '../../domain/run.ts';
import { isOpen, sendDecision, startRun } from '../../temporal/runs.ts';
import { bind } from '../../worker/bind.ts';
import { controlPlace } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import { createWorld, type World } from '../support/world.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const inventoryText = (deadline: string): string => `
version: 1
people:
  - { name: ada, groups: [dba, on-call] }
  - { name: grace, groups: [dba] }
  - { name: linus, groups: [orders-team] }
  - { name: mallory, groups: [visitors] }
policies:
  default:
    requesters: [on-call]
    operators: [dba]
    approvals:
      low: auto
      medium: { quorum: [{ group: dba }] }
      high: { quorum: [{ group: dba }, { group: owners }], deadline: ${deadline} }
databases:
  orders: { provider: streaming, owners: orders-team, server: { host: localhost, dbname: orders, user: steadyhand } }
`;

export interface EngineTest {
  readonly world: World;
  readonly control: Control;
  readonly client: Client;
  readonly taskQueue: string;
  /** Requested by ada, as the API does it, and started. */
  request(input?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Until the run's question of this name is open. */
  asked(run: string, approval: string, opening?: number): Promise<RunDetail>;
  /** As the API does it: the row, then the message. */
  decide(run: string, person: string, choice: Choice, reason?: string): Promise<Authorisation | null>;
  /** grace and linus agree to what is asked. */
  agree(run: string, approval: string): Promise<void>;
  result(run: string): Promise<RunResult>;
  detail(run: string): Promise<RunDetail>;
}

/** A worker with the rehearsal's activities, a control database and a world of its own, for each test. */
export function enginePlace(): { begin(options?: { deadline?: string }): Promise<EngineTest> } {
  const place = controlPlace();
  const endings: (() => Promise<unknown>)[] = [];
  let client: Client;
  let native: NativeConnection;
  beforeAll(async () => {
    const address = inject('temporalAddress');
    client = new Client({ connection: await Connection.connect({ address }) });
    native = await NativeConnection.connect({ address });
  });
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });
  afterAll(async () => {
    await client.connection.close();
    await native.close();
  });
  return {
    begin: async ({ deadline = '1h' } = {}) => {
      const { control } = await place.fresh();
      const world = createWorld();
      const inventory = parseInventory(inventoryText(deadline), 'steadyhand.yaml');
      const taskQueue = `engine-${ulid()}`;
      const worker = await startWorker({ native, client, control, world, inventory, taskQueue });
      endings.push(worker);
      return engineTest({ control, client, world, inventory, taskQueue });
    },
  };
}

interface Parts {
  control: Control;
  client: Client;
  world: World;
  inventory: Inventory;
  taskQueue: string;
}

async function startWorker({ native, client, control, world, inventory, taskQueue }: Parts & { native: NativeConnection }): Promise<() => Promise<void>> {
  const log = pino({ level: 'silent' });
  const catalog = { [rehearsal.name]: rehearsal };
  const planner = createPlanner({ catalog, commands: {}, control, takeFacts: { rehearsal: () => Promise.resolve({ ...world.facts }) } });
  const engine = createEngineActivities({ control, catalog, planner, inventory: () => inventory, holderOpen: (run) => isOpen(client, run) });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundle') },
    activities: { ...bind('engine', engine, control, log), ...bind('rehearsal', world.activities, control, log) },
    stickyQueueScheduleToStartTimeout: '1s',
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

function engineTest({ control, client, world, inventory, taskQueue }: Parts): EngineTest {
  const detail = async (run: string): Promise<RunDetail> => {
    const found = await control.runs.detail(run);
    if (!found) throw new Error(`no run ${run}`);
    return found;
  };
  const decide: EngineTest['decide'] = async (run, person, choice, reason) => {
    const question = choice === 'cancel' ? undefined : (await detail(run)).questions[0];
    const { approval, opening, digest } = question ?? { approval: 'run', opening: 0, digest: '' };
    const id = ulid();
    const groups = groupsOf(inventory, 'orders', person);
    await control.questions.decide({ id, run, approval, opening, digest, choice, person, groups, channel: 'http', ...(reason ? { reason } : {}) });
    return await sendDecision(client, run, { approval, opening, digest, choice, decisionId: id });
  };
  const asked: EngineTest['asked'] = async (run, approval, opening) =>
    await eventually(async () => {
      const now = await detail(run);
      return now.questions.some((one) => one.approval === approval && one.opening === (opening ?? one.opening)) ? now : undefined;
    });
  return {
    world,
    control,
    client,
    taskQueue,
    detail,
    decide,
    asked,
    request: async (input = { word: 'hello' }) => {
      const run = `rehearsal/orders/${ulid()}`;
      const { request } = await control.requests.create({
        run,
        runbook: 'rehearsal',
        version: 1,
        risk: 'high',
        database: 'orders',
        input,
        requester: 'ada',
        channel: 'http',
        idempotencyKey: ulid(),
        bodyDigest: 'a'.repeat(64),
      });
      await startRun(client, request, { taskQueue });
      return run;
    },
    agree: async (run, approval) => {
      await asked(run, approval);
      await decide(run, 'grace', 'approve');
      await decide(run, 'linus', 'approve');
    },
    result: async (run) => (await client.workflow.getHandle(run).result()) as RunResult,
  };
}
