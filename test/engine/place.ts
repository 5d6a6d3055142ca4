import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import type pg from 'pg';
import { ulid } from 'ulid';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { engineVerdicts } from '../../activities/engine/contract.ts';
import { createEngineActivities } from '../../activities/engine/create-engine-activities.ts';
import { createPlanner } from '../../activities/engine/planner.ts';
import type { Control, NewRequest, RunDetail } from '../../control/contract.ts';
import type { EventKind } from '../../control/event-kinds.ts';
import type { Authorisation, Choice, DecisionMessage } from '../../domain/decision.ts';
import { parseInventory, groupsOf, type Inventory } from '../../domain/inventory.ts';
import type { RunResult } from '../../domain/run.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import type { StepDefinitions } from '../../domain/step.ts';
import { dataConverterOf } from '../../temporal/data-converter.ts';
import type { PayloadKey } from '../../temporal/payload-codec.ts';
import { isOpen, startRun } from '../../temporal/runs.ts';
import { sendDecision } from '../../temporal/send-decision.ts';
import { bind } from '../../worker/bind.ts';
import { workflowBundle } from '../../worker/bundle.ts';
import { application, controlPlace } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { rehearsal, steps } from '../support/rehearsal-plan.ts';
import { createWorld, type World } from '../support/world.ts';
import { hookedControl, newHooks, type ControlHooks } from './hooked-control.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const withQuorum = (deadline: string): string => `{ quorum: [{ group: dba }, { group: owners }], deadline: ${deadline} }`;

const inventoryText = (high: string): string => `
version: 1
people:
  - { name: ada, groups: [dba, on-call], accounts: { slack: [U0ADA], http: [ada-admin] } }
  - { name: grace, groups: [dba], accounts: { http: [grace-admin] } }
  - { name: edsger, groups: [dba] }
  - { name: linus, groups: [orders-team] }
  - { name: mallory, groups: [visitors] }
  - { name: barbara, groups: [second-line] }
policies:
  default:
    requesters: [on-call]
    operators: [dba]
    breakGlass: { groups: [dba, second-line] }
    approvals:
      low: auto
      medium: { quorum: [{ group: dba }] }
      high: ${high}
databases:
  orders: { provider: streaming, owners: orders-team, server: { host: localhost, dbname: orders, user: steadyhand } }
  ledger: { provider: streaming, owners: orders-team, server: { host: localhost, dbname: ledger, user: steadyhand } }
`;

export interface EngineTest {
  readonly world: World;
  /** On the control database; ended with the test. */
  superuser(): Promise<pg.Client>;
  /** Of the control database, for another process: as the application or as the superuser. */
  readonly urls: { readonly application: string; readonly superuser: string };
  /** The control database without hooks. */
  readonly control: Control;
  /** What the worker meets at the control database. */
  readonly hooks: ControlHooks;
  /** What the worker reads; tests put another one there. */
  inventory: Inventory;
  readonly client: Client;
  readonly taskQueue: string;
  /** Requested by ada, as the API does it, and started. */
  request(input?: Readonly<Record<string, unknown>>, more?: Pick<NewRequest, 'waitMs' | 'breakGlass' | 'others'>): Promise<string>;
  /** Until the run's question of this name is open. */
  asked(run: string, approval: string, opening?: number): Promise<RunDetail>;
  /** As the API does it: the row, then the message. */
  decide(run: string, person: string, choice: Choice, reason?: string): Promise<Authorisation | null>;
  /** The first half of it: the row alone. */
  click(run: string, person: string, choice: Choice, reason?: string): Promise<DecisionMessage>;
  /** grace and linus agree to what is asked. */
  agree(run: string, approval: string): Promise<void>;
  result(run: string): Promise<RunResult>;
  detail(run: string): Promise<RunDetail>;
  /** The data of the run's events of a kind, in order. */
  events(run: string, kind: EventKind): Promise<Readonly<Record<string, unknown>>[]>;
  startWorker(keys?: readonly PayloadKey[]): Promise<void>;
  stopWorkers(): Promise<void>;
}

export interface EngineOptions {
  readonly deadline?: string;
  /** The policy asks nobody. */
  readonly auto?: boolean;
  /** What the policy asks for instead of one of the dba and one of the owners. */
  readonly rule?: string;
  /** 0: until the test starts one. */
  readonly workers?: 0 | 1;
  /** Of the payload codec, for client and workers. */
  readonly keys?: readonly PayloadKey[];
  /** The step that is said to touch only what the run has made. */
  readonly onOwnThings?: 'second';
}

/** A worker with the rehearsal's activities, a control database and a world of its own, for each test. */
export function enginePlace(): { begin(options?: EngineOptions): Promise<EngineTest> } {
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
    begin: async ({
      deadline = '1h',
      auto = false,
      rule = auto ? 'auto' : withQuorum(deadline),
      workers = 1,
      keys = [],
      onOwnThings,
    } = {}) => {
      const { control, database } = await place.fresh();
      const superuser = async (): Promise<pg.Client> => await place.client(database);
      const inventory = parseInventory(inventoryText(rule), 'steadyhand.yaml');
      const own = new Client({ connection: client.connection, dataConverter: dataConverterOf(keys) });
      const parts = {
        control,
        superuser,
        urls: { application: place.url(database, application), superuser: place.url(database) },
        client: own,
        inventory,
        world: createWorld(),
        hooks: newHooks(),
        taskQueue: `engine-${ulid()}`,
        keys,
        catalog: { [rehearsal.name]: onOwnThings ? { ...rehearsal, steps: withOwn(onOwnThings) } : rehearsal },
      };
      const engine = engineTest(parts, native);
      endings.push(engine.stopWorkers);
      if (workers > 0) await engine.startWorker();
      return engine;
    },
  };
}

interface Parts {
  readonly control: Control;
  superuser(): Promise<pg.Client>;
  readonly urls: EngineTest['urls'];
  readonly client: Client;
  readonly world: World;
  readonly hooks: ControlHooks;
  readonly inventory: Inventory;
  readonly taskQueue: string;
  readonly keys: readonly PayloadKey[];
  readonly catalog: Readonly<Record<string, AnyRunbook>>;
}

const withOwn = (id: keyof typeof steps): StepDefinitions => ({ ...steps, [id]: { ...steps[id], onOwnThings: true } });

type WorkerParts = Omit<Parts, 'inventory'> & { inventory(): Inventory };

async function startWorker(
  { client, world, hooks, taskQueue, inventory, keys, catalog, ...parts }: WorkerParts,
  native: NativeConnection,
): Promise<() => Promise<void>> {
  const control = hookedControl(parts.control, hooks);
  const log = pino({ level: 'silent' });
  const planner = createPlanner({ catalog, commands: {}, control, takeFacts: { rehearsal: async () => await world.takeFacts() } });
  const engine = createEngineActivities({ control, catalog, planner, inventory, holderOpen: (run) => isOpen(client, run) });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: await workflowBundle(inject('workflowBundle'), { encodes: keys.length > 0 }),
    dataConverter: dataConverterOf(keys),
    activities: { ...bind('engine', engine, control, log, engineVerdicts), ...bind('rehearsal', world.activities, control, log) },
    stickyQueueScheduleToStartTimeout: '1s',
    shutdownGraceTime: '100ms',
  });
  const running = worker.run();
  return async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  };
}

function engineTest(parts: Parts, native: NativeConnection): EngineTest {
  const { control, client, world, hooks, taskQueue } = parts;
  const stops: (() => Promise<void>)[] = [];
  const detail = async (run: string): Promise<RunDetail> => {
    const found = await control.runs.detail(run);
    if (!found) throw new Error(`no run ${run}`);
    return found;
  };
  const asked: EngineTest['asked'] = async (run, approval, opening) =>
    await eventually(async () => {
      const now = await detail(run);
      return now.questions.some((one) => one.approval === approval && one.opening === (opening ?? one.opening)) ? now : undefined;
    });
  const engine: EngineTest = {
    world,
    control,
    superuser: parts.superuser,
    urls: parts.urls,
    hooks,
    client,
    taskQueue,
    inventory: parts.inventory,
    detail,
    asked,
    click: async (run, person, choice, reason) => {
      const question = choice === 'cancel' ? undefined : (await detail(run)).questions[0];
      const { approval, opening, digest } = question ?? { approval: 'run', opening: 0, digest: '' };
      const id = ulid();
      const groups = groupsOf(engine.inventory, 'orders', person);
      await control.questions.decide({
        id,
        run,
        approval,
        opening,
        digest,
        choice,
        person,
        groups,
        channel: 'http',
        ...(reason ? { reason } : {}),
      });
      return { approval, opening, digest, choice, decisionId: id };
    },
    decide: async (run, ...answer) => await sendDecision(client, run, await engine.click(run, ...answer)),
    request: async (input = { word: 'hello' }, more = {}) => {
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
        ...more,
      });
      await startRun(client, request, { taskQueue });
      return run;
    },
    agree: async (run, approval) => {
      await asked(run, approval);
      await engine.decide(run, 'grace', 'approve');
      await engine.decide(run, 'linus', 'approve');
    },
    result: async (run) => (await client.workflow.getHandle(run).result()) as RunResult,
    events: async (run, kind) =>
      (await control.events.list({ run, limit: 1_000 })).filter((one) => one.kind === kind).map((one) => one.data),
    startWorker: async (keys = parts.keys) => {
      stops.push(await startWorker({ ...parts, keys, inventory: () => engine.inventory }, native));
    },
    stopWorkers: async () => {
      await Promise.all(stops.splice(0).map(async (stop) => await stop()));
    },
  };
  return engine;
}
