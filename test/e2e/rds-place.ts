import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, inject, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { acceptedSchema, judgedSchema, runDetailSchema } from '../../api/answers.ts';
import { previewSchema, type PreviewAnswer } from '../../api/plan-answers.ts';
import { apiClient, type ApiClient } from '../../cli/client.ts';
import type { RunDetail } from '../../control/contract.ts';
import type { Choice } from '../../domain/decision.ts';
import type { Plan } from '../../domain/plan.ts';
import { runNameOf } from '../../domain/run.ts';
import type { AwsOptions } from '../../sandbox/aws/aws.ts';
import type { CallRecord } from '../../sandbox/aws/calls.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { startRdsOrders, type RdsOrders } from '../../sandbox/rds-orders.ts';
import { up, type Sandbox } from '../../sandbox/sandbox.ts';
import type { Service } from '../../sandbox/service.ts';
import { eventually } from '../support/eventually.ts';

/** The name in the inventory of the database at AWS. */
const atAws = 'orders-aws';

export interface RdsPlace {
  readonly orders: RdsOrders;
  readonly sandbox: Sandbox;
  as(person: string): ApiClient;
  /** As ada. Returns the workflow id. */
  request(runbook: string, input?: Readonly<Record<string, unknown>>): Promise<string>;
  plan(runbook: string, input?: Readonly<Record<string, unknown>>, database?: string): Promise<Plan>;
  /** What blocks the plan, a line for each finding. */
  blocking(runbook: string, input?: Readonly<Record<string, unknown>>, database?: string): Promise<string>;
  detail(run: string): Promise<RunDetail>;
  /** Until the run is as wanted; a run that closes or parks otherwise fails the test with its reason. */
  until(run: string, wanted: (detail: RunDetail) => boolean, withinMs?: number): Promise<RunDetail>;
  /** Changes the entry in the inventory until the next test: other verification rules, a pooler, users, parts of the instance's entry, of the other region's kit, of the address. */
  configure(change: InventoryChange): void;
  decide(run: string, person: string, choice: Choice): Promise<unknown>;
  cancel(run: string): Promise<unknown>;
  /** By somebody at Temporal itself. */
  terminate(run: string): Promise<void>;
  /** What Temporal has written down of it. */
  history(run: string): Promise<History>;
  /** How often this activity of its was begun, as long as it is not done. */
  attempts(run: string, activity: string): Promise<number>;
  /** SIGKILL; then there is another one. */
  killTheWorker(): Promise<void>;
  /** grace agrees once it is asked. */
  agree(run: string): Promise<void>;
  /** The calls since then that changed something, or tried to. */
  changingCalls(since?: number): CallRecord[];
  /** How often the stand-in really did this to what the run calls its own. */
  effects(action: string, run: string): number;
}

interface InventoryChange {
  readonly verification?: object;
  readonly pooler?: object;
  readonly users?: readonly object[];
  readonly rds?: object;
  readonly dr?: object;
  readonly server?: object;
}

/** What the run calls everything that it makes. */
export const nameOf = (run: string): string => `steadyhand-${runNameOf(run).id.toLowerCase()}`;

/** A sandbox with a database at the stand-in for AWS, its API and its worker pointed there by their environment. */
export function rdsPlace(options: Pick<AwsOptions, 'quotas'> = {}): () => RdsPlace {
  // An instance takes seconds to come, also here.
  vi.setConfig({ testTimeout: 240_000 });
  let directory: string;
  let orders: RdsOrders;
  let sandbox: Sandbox;
  let worker: Service;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'steadyhand-rds-e2e-'));
    await chmod(directory, 0o755);
    orders = await startRdsOrders({ directory: join(directory, 'aws'), factor: 300, ...options });
    const own = sandboxConfiguration();
    sandbox = await up({
      ...{ pooler: 'none', size: 100, services: false, log: () => undefined, bundle: inject('workflowBundle') },
      directory: join(directory, 'sandbox'),
      configuration: { ...own, environment: { ...own.environment, ...orders.environment } },
    });
    writeEntry(sandbox, orders.entry);
    [, worker] = await Promise.all([sandbox.start('api'), sandbox.start('worker')]);
  }, 180_000);
  beforeEach(() => writeEntry(sandbox, orders.entry));
  afterAll(async () => {
    await sandbox?.down();
    await orders?.aws.stop();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);
  const killTheWorker = async (): Promise<void> => {
    worker.kill('SIGKILL');
    await eventually(async () => await Promise.resolve(!worker.alive() || undefined));
    worker = await sandbox.start('worker');
  };
  return () => ({ ...placeOf(sandbox, orders), killTheWorker });
}

function writeEntry(sandbox: Sandbox, entry: object): void {
  // The sandbox's own, whose form was checked.
  const inventory = parse(readFileSync(sandbox.inventoryFile, 'utf8')) as { databases: Record<string, unknown> };
  inventory.databases[atAws] = entry;
  writeFileSync(sandbox.inventoryFile, stringify(inventory, { aliasDuplicateObjects: false }));
}

async function atTemporal<Result>({ temporal }: Sandbox, ask: (client: Client) => Promise<Result>): Promise<Result> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    return await ask(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

function placeOf(sandbox: Sandbox, orders: RdsOrders): Omit<RdsPlace, 'killTheWorker'> {
  const as = (person: string): ApiClient => apiClient({ environment: sandbox.environment }, { as: sandbox.tokens[person] ?? '' });
  const idOf = (run: string): string => runNameOf(run).id;
  const detail = async (run: string): Promise<RunDetail> => await as('ada').get(`/v1/runs/${idOf(run)}`, runDetailSchema);
  const until: RdsPlace['until'] = async (run, wanted, withinMs = 200_000) => {
    let last: RunDetail | undefined;
    const ended = (): boolean => last?.state === 'closed' || last?.state === 'parked';
    const look = async (): Promise<RunDetail | undefined> => {
      last = await detail(run);
      return wanted(last) || ended() ? last : undefined;
    };
    const seen = await eventually(look, withinMs, 200).catch(() => last);
    if (seen && wanted(seen)) return seen;
    const steps = seen?.steps.map((one) => `${one.id} ${one.state} ${one.progress?.summary ?? ''}`);
    throw new Error(
      `the run is ${seen?.state} ${seen?.outcome ?? ''}: ${seen?.because ?? seen?.failure?.message ?? ''} ${JSON.stringify(steps)}`,
    );
  };
  const preview = async (runbook: string, input: object, database: string): Promise<PreviewAnswer> =>
    await as('ada').post('/v1/plans', { runbook, database, input }, previewSchema);
  const decide: RdsPlace['decide'] = async (run, person, choice) => {
    const question = (await detail(run)).questions[0];
    if (!question) throw new Error(`nothing is asked by ${run}`);
    const { approval, opening, digest } = question;
    return await as(person).post(`/v1/runs/${idOf(run)}/decisions`, { approval, opening, digest, choice, reason: 'a test' }, judgedSchema);
  };
  return {
    ...{ orders, sandbox, as, detail, until, decide },
    configure: ({ rds: instance, dr, server, ...others }) => {
      const { rds, ...entry } = orders.entry;
      const changed = { ...others, server: { ...entry.server, ...server } };
      writeEntry(sandbox, { ...entry, ...changed, rds: { ...rds, ...instance, dr: { ...rds.dr, ...dr } } });
    },
    terminate: async (run) => {
      await atTemporal(sandbox, async (client) => await client.workflow.getHandle(run).terminate('somebody was in a hurry'));
    },
    history: async (run) => await atTemporal(sandbox, async (client) => await client.workflow.getHandle(run).fetchHistory()),
    attempts: async (run, activity) => {
      const { raw } = await atTemporal(sandbox, async (client) => await client.workflow.getHandle(run).describe());
      return raw.pendingActivities?.find((one) => one.activityType?.name === activity)?.attempt ?? 0;
    },
    cancel: async (run) => await as('ada').post(`/v1/runs/${idOf(run)}/cancel`, { reason: 'not now' }, judgedSchema),
    request: async (runbook, input = {}) =>
      (await as('ada').post('/v1/runs', { runbook, database: atAws, input }, acceptedSchema, { 'Idempotency-Key': ulid() })).run,
    plan: async (runbook, input = {}, database = atAws) => (await preview(runbook, input, database)).plan,
    blocking: async (runbook, input = {}, database = atAws) =>
      (await preview(runbook, input, database)).findings
        .filter(({ level }) => level === 'blocks')
        .map(({ check, evidence, fix }) => `${check}: ${evidence}. ${fix}`)
        .join('\n'),
    agree: async (run) => {
      await until(run, (now) => now.questions.length > 0);
      await decide(run, 'grace', 'approve');
    },
    changingCalls: (since = 0) =>
      orders.aws
        .calls()
        .slice(since)
        .filter(({ action }) => !/^(?:Describe|List|Get)/.test(action)),
    effects: (action, run) => {
      const resource = nameOf(run);
      return orders.aws
        .effects()
        .filter((one) => one.action === action && one.resource === resource)
        .reduce((sum, one) => sum + one.count, 0);
    },
  };
}
