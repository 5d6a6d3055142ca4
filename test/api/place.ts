import type { FastifyInstance, InjectOptions } from 'fastify';
import type pg from 'pg';
import { ulid } from 'ulid';
import { afterEach } from 'vitest';
import { z } from 'zod';
import type { ApiParts, Planner } from '../../api/parts.ts';
import { buildApp } from '../../api/server.ts';
import type { Control, NewToken, Request, TokenRow } from '../../control/contract.ts';
import { digestOf } from '../../domain/digest.ts';
import type { Authorisation, DecisionMessage } from '../../domain/decision.ts';
import { Failure } from '../../domain/failure.ts';
import { parseInventory, type Inventory } from '../../domain/inventory.ts';
import type { OwnedObject, TaggedObject } from '../../domain/leftover.ts';
import type { Plan } from '../../domain/plan.ts';
import type { RunStatus, TemporalRuns, Unpolled } from '../../temporal/runs.ts';
import { controlPlace } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';

const inventoryText = `
version: 1
people:
  - { name: ada, groups: [on-call] }
  - { name: grace, groups: [dba] }
  - { name: mallory, groups: [visitors] }
policies:
  default:
    requesters: [on-call, owners]
    operators: [dba]
    breakGlass: { groups: [on-call, dba] }
    approvals:
      low: auto
      medium: { quorum: [{ group: dba }] }
      high: { quorum: [{ group: dba }] }
databases:
  orders: { provider: streaming, owners: dba, server: { host: localhost, dbname: orders, user: steadyhand } }
`;

/** A Temporal in memory: what was asked of it, and what it answers next. */
export interface TemporalStandIn extends TemporalRuns {
  readonly started: string[];
  readonly messages: DecisionMessage[];
  readonly cleared: { run: string; asked: number }[];
  down: boolean;
  /** Thrown by the next starts, after a health check that was fine. */
  refuseStart: boolean;
  /** Why no run can be started, although the server answers. */
  notReady: Failure | null;
  judgement: Authorisation | null | Failure;
  readonly statuses: Map<string, RunStatus>;
  /** What the list of running workflows says in place of the truth: it lags behind. */
  listed: ReadonlyMap<string, string> | undefined;
  /** How often `look` was called. */
  looks: number;
  /** Executions that a reset has begun, by run. */
  readonly resets: Map<string, string>;
  /** What no worker polls. */
  idle: Unpolled[];
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Every answer of this API is JSON. */
  readonly body: Record<string, unknown>;
}

export interface ApiTest {
  readonly app: FastifyInstance;
  readonly control: Control;
  readonly temporal: TemporalStandIn;
  readonly parts: ApiParts;
  inventory: Inventory;
  /** What the databases show. */
  tagged: TaggedObject[];
  /** What their provider shows. */
  owned: OwnedObject[];
  /** Why a part of each database could not be looked at. */
  unseen: string[];
  tokenOf(person: string): Promise<string>;
  /** A token made as on the service's own machine. */
  token(made: Omit<NewToken, 'actor'>): Promise<{ token: string; row: TokenRow }>;
  /** In the control database. */
  superuser(sql: string | ((client: pg.Client) => Promise<unknown>)): Promise<void>;
  call(
    method: 'GET' | 'POST',
    url: string,
    options?: { as?: string; body?: unknown; headers?: Record<string, string>; raw?: string },
  ): Promise<Answer>;
  /** Asks for a rehearsal of orders as ada; the run's name. */
  run(key?: string): Promise<{ run: string; id: string }>;
}

function standIn(): TemporalStandIn {
  const temporal: TemporalStandIn = {
    started: [],
    messages: [],
    cleared: [],
    down: false,
    refuseStart: false,
    notReady: null,
    judgement: { counts: true, settled: null, by: { person: 'grace' }, because: 'one of two' },
    statuses: new Map(),
    listed: undefined,
    looks: 0,
    resets: new Map(),
    idle: [],
    health: async () =>
      await (temporal.down ? Promise.reject(new Failure('temporal-unavailable', 'Temporal does not answer')) : Promise.resolve()),
    ready: async () => {
      await temporal.health();
      if (temporal.notReady) throw temporal.notReady;
    },
    start: async (request: Request) => {
      await temporal.health();
      if (temporal.refuseStart) throw new Failure('temporal-unavailable', 'the connection was lost');
      temporal.started.push(request.run);
    },
    decide: async (_, message) => {
      await temporal.health();
      temporal.messages.push(message);
      if (temporal.judgement instanceof Failure) throw temporal.judgement;
      return temporal.judgement;
    },
    decideLater: async (run, message) => void (await temporal.decide(run, message)),
    clearUp: async (run, { asked }) => {
      await temporal.health();
      temporal.cleared.push({ run, asked });
    },
    running: async () => {
      await temporal.health();
      const open = temporal.started.filter((run) => (temporal.statuses.get(run) ?? 'open') === 'open');
      return temporal.listed ?? new Map(open.map((run) => [run, temporal.resets.get(run) ?? 'first']));
    },
    look: async (run) => {
      temporal.looks += 1;
      await temporal.health();
      return { status: temporal.statuses.get(run) ?? 'open', resetTo: temporal.resets.get(run) ?? null };
    },
    unpolled: async () => {
      await temporal.health();
      return temporal.idle;
    },
  };
  return temporal;
}

export const aPlan: Plan = {
  runbook: 'rehearsal',
  version: 1,
  database: 'orders',
  input: { word: 'hello' },
  steps: [
    {
      id: 'look',
      kind: 'check',
      title: 'Look',
      estimate: { from: 'unknown' },
      commands: [{ on: 'source', kind: 'sql', text: 'SELECT 1' }],
    },
    { id: 'skip', kind: 'change', title: 'Skip', estimate: { from: 'unknown' }, applies: false, because: 'nothing is there' },
  ],
  variables: { run_tag: 'the name' },
  facts: 'f'.repeat(64),
  digest: digestOf('a plan'),
  madeAt: '2026-11-21T03:00:00.000Z',
};

const planner: Planner = {
  plan: async ({ input }) => {
    if (!rehearsal.input.safeParse(input).success)
      throw new Failure('input-invalid', 'the input is wrong', { problems: [{ path: 'word', message: 'is missing' }] });
    return await Promise.resolve({ plan: aPlan, findings: [] });
  },
};

/** As the streaming provider is: it has no groups. */
const provider: ApiParts['provider'] = (_, groups) => ({ provider: 'streaming', lacks: groups, able: ['rds'] });

const bodySchema = z.record(z.string(), z.unknown());

/** Call it at the top of a test file: a real control database, and the API without a socket for each test. */
export function apiPlace(): { begin(catalog?: ApiParts['catalog']): Promise<ApiTest> } {
  const place = controlPlace();
  const apps: FastifyInstance[] = [];
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });
  return {
    begin: async (catalog = { rehearsal }) => {
      const { control, database } = await place.fresh();
      const temporal = standIn();
      const tokens = new Map<string, string>();
      const tagged: ApiParts['tagged'] = async () => await Promise.resolve({ objects: test.tagged, unseen: test.unseen });
      const owned: ApiParts['owned'] = async () => await Promise.resolve({ objects: test.owned, unseen: [] });
      const parts: ApiParts = { control, temporal, inventory: () => test.inventory, catalog, planner, provider, tagged, owned };
      const app = await buildApp(parts);
      apps.push(app);
      const make: ApiTest['token'] = (made) => control.tokens.create({ ...made, actor: { kind: 'person', name: 'root', channel: 'host' } });
      const tokenOf: ApiTest['tokenOf'] = async (person) => {
        const known = tokens.get(person);
        if (known !== undefined) return known;
        const { token } = await make({ person });
        tokens.set(person, token);
        return token;
      };
      const call: ApiTest['call'] = async (method, url, { as, body, headers, raw } = {}) => {
        const options: InjectOptions = {
          method,
          url,
          headers: { ...(as === undefined ? {} : { authorization: `Bearer ${await tokenOf(as)}` }), ...headers },
          ...(body === undefined ? {} : { payload: body as object }), // any JSON value is allowed here
          ...(raw === undefined ? {} : { payload: raw }),
        };
        const answer = await app.inject(options);
        const type = String(answer.headers['content-type']).split(';')[0] ?? '';
        return { status: answer.statusCode, type, headers: answer.headers, body: bodySchema.parse(answer.json()) };
      };
      const test: ApiTest = {
        app,
        control,
        temporal,
        parts,
        tagged: [],
        owned: [],
        unseen: [],
        inventory: parseInventory(inventoryText, 'steadyhand.yaml'),
        tokenOf,
        token: make,
        superuser: async (sql) => {
          const client = await place.client(database);
          await (typeof sql === 'string' ? client.query(sql) : sql(client));
        },
        call,
        run: async (key = ulid()) => {
          const { body } = await call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': key } });
          const made = z.object({ run: z.string(), id: z.string() }).parse(body);
          // That it was started is written after the answer.
          const written = async () => !(await control.requests.unstarted(0)).some((one) => one.run === made.run);
          if (temporal.started.includes(made.run)) await eventually(async () => ((await written()) ? true : undefined));
          return made;
        },
      };
      return test;
    },
  };
}

export const newRun = { runbook: 'rehearsal', database: 'orders', input: { word: 'hello' } };

/** The problem's members, after it was checked to be one. */
export function problemIn(answer: Answer): { code: string; detail: string; problems: { path: string; message: string }[] } {
  if (answer.type !== 'application/problem+json') throw new Error(`it is no problem: ${answer.status} ${JSON.stringify(answer.body)}`);
  return z
    .object({
      code: z.string(),
      detail: z.string(),
      type: z.string().startsWith('/problems/'),
      title: z.string().min(1),
      status: z.literal(answer.status),
      hint: z.string().min(1),
      problems: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
    })
    .parse(answer.body);
}
