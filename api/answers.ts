import { z } from 'zod';
import type { DecisionRow, EventRow, FreezeRow, OpenQuestion, OpenRun, RunDetail, RunRow, StepRow, TokenRow } from '../control/contract.ts';
import { approvalChoices, parkedChoices } from '../domain/decision.ts';
import { failureKinds, type FailureCode } from '../domain/failure-kinds.ts';
import type { Plan, PlannedStep } from '../domain/plan.ts';
import { outcomes, runStates } from '../domain/run.ts';
import { stepStates } from '../domain/step.ts';
import { everyScope, tokenKinds } from '../domain/token.ts';
import type { Readiness } from './readiness.ts';

/** What the API answers with, as zod schemas: the source of the OpenAPI document, held to the types of the control database. */

const time = z.string().describe('ISO 8601, UTC');
const plainData = z.record(z.string(), z.unknown());
const risk = z.enum(['low', 'medium', 'high']);

// The keys of a constant object; Object.keys calls them plain strings.
const failureCodes = Object.keys(failureKinds) as [FailureCode, ...FailureCode[]];

const failure = z.object({ code: z.enum(failureCodes), message: z.string(), hint: z.string(), facts: plainData });

export const choiceSchema = z.enum([...approvalChoices, ...parkedChoices, 'cancel']);

const stepRow: z.ZodType<StepRow> = z.object({
  id: z.string(),
  position: z.int(),
  kind: z.string(),
  title: z.string(),
  state: z.enum(stepStates),
  generation: z.int(),
  attempt: z.int(),
  superseded: z.int().describe('How many attempts gave way to a newer one, without acting any more'),
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  progress: z.object({ summary: z.string(), fraction: z.number().optional(), secondsLeft: z.number().optional() }).nullable(),
  because: z.string().nullable(),
  failure: failure.nullable(),
});

const placeInLine = z.object({
  database: z.string().describe('Whose lease it waits for: its own database’s, or that of another one that it names'),
  place: z.int().describe('1 for the run whose turn is next'),
  holder: z.string().nullable().describe('The run that holds the lease, or held it last'),
  state: z.enum(['held', 'free', 'orphaned']),
  since: time.nullable(),
  deadline: time.describe('When it gives up'),
  first: z
    .object({ run: z.string(), state: z.enum(runStates), asks: z.string().nullable().describe('The title of what it asks people') })
    .nullable()
    .describe('The run whose turn is next, when that is another one'),
});

export const freezeSchema: z.ZodType<FreezeRow> = z.object({
  id: z.string(),
  database: z.string().nullable().describe('null: every database'),
  reason: z.string(),
  person: z.string(),
  since: time,
  until: time.nullable().describe('null: until somebody lifts it'),
  liftedAt: time.nullable(),
  liftedBy: z.string().nullable(),
  liftedBecause: z.string().nullable(),
  holds: z.boolean().describe('Neither lifted nor over'),
  text: z.string().describe('Who, since when, until when, why'),
});

const said = z.object({ person: z.string(), reason: z.string(), at: time });

const runFields = {
  run: z.string().describe('`<runbook>/<database>/<ULID>`: also the id of the workflow'),
  runbook: z.string(),
  database: z.string(),
  state: z.enum(runStates),
  outcome: z.enum(outcomes).nullable(),
  because: z.string().nullable(),
  left: z.array(z.string()).describe('What an undo could not take back, or an abort left'),
  requester: z.string(),
  risk,
  ticket: z.string().nullable(),
  input: plainData,
  requestedAt: time,
  closedAt: time.nullable(),
  plan: z.string().nullable().describe('Digest of the plan that is followed'),
  failure: failure.nullable(),
  waits: placeInLine.nullable().describe('While it waits for the lease of its database, or of another one that it names'),
  frozen: freezeSchema.nullable().describe('The freeze that stops it: its next change waits for the end of that'),
  breakGlass: said.nullable().describe('Who let it pass freezes and the policy’s quorum; it stays for ever'),
  review: said.nullable().describe('Who has looked at that since'),
};

export const runRowSchema: z.ZodType<RunRow> = z.object(runFields);

const agreement = z.object({ person: z.string(), groups: z.array(z.string()), choice: choiceSchema });

const quorum = z.array(z.object({ group: z.string(), count: z.int(), or: z.array(z.string()).optional() }));

const question: z.ZodType<OpenQuestion> = z.object({
  run: z.string(),
  approval: z.string().describe('The step that asks'),
  opening: z.int().describe('Which asking of it, from 1'),
  digest: z.string().describe('What an answer binds to'),
  kind: z.enum(['approval', 'parked']),
  choices: z.array(choiceSchema),
  deadline: time.optional(),
  quorum,
  requester: z.string(),
  failure: failure.nullable(),
  openedAt: time,
  agreements: z.array(agreement),
  chain: z
    .array(z.object({ at: time, quorum: quorum.optional(), done: time.nullable() }))
    .describe('Reminders and, with a quorum that holds from then on, escalations; `done`: when it happened'),
});

const decision: z.ZodType<DecisionRow> = z.object({
  id: z.string(),
  run: z.string(),
  approval: z.string(),
  opening: z.int(),
  digest: z.string(),
  choice: choiceSchema,
  person: z.string(),
  kind: z.enum(tokenKinds),
  groups: z.array(z.string()),
  channel: z.string(),
  reason: z.string().nullable(),
  at: time,
  counts: z.boolean().nullable().describe('null until the run has judged it'),
  because: z.string().nullable(),
});

export const runDetailSchema: z.ZodType<RunDetail> = z.object({
  ...runFields,
  steps: z.array(stepRow),
  questions: z.array(question).describe('The open ones'),
  decisions: z.array(decision),
  evidence: plainData.describe('What the steps proved, by name'),
});

const eventSchema: z.ZodType<EventRow> = z.object({
  seq: z.int(),
  at: time,
  run: z.string().nullable(),
  kind: z.string(),
  actor: z.object({ kind: z.enum(['person', 'service', 'system']), name: z.string(), channel: z.string() }),
  data: plainData,
});

export const runsSchema = z.object({ runs: z.array(runRowSchema), next: z.string().nullable().describe('`before` of the next page') });

export const eventsSchema = z.object({
  events: z.array(eventSchema),
  next: z.int().nullable().describe('`after` of the next page; null when there is none yet'),
});

const command = z.object({
  on: z.enum(['source', 'target', 'live', 'restored', 'pooler', 'provider', 'worker']),
  kind: z.enum(['sql', 'pgbouncer', 'shell', 'file', 'api']),
  text: z.string(),
  when: z.string().optional().describe('The condition, when it is not always executed'),
});

const stepFields = {
  id: z.string(),
  kind: z.enum(['check', 'change', 'wait', 'approval']),
  title: z.string(),
  skippable: z.boolean().optional(),
  pointOfNoReturn: z.boolean().optional(),
  estimate: z.object({ seconds: z.number().optional(), from: z.enum(['earlier-runs', 'size-and-rate', 'unknown']) }),
};

const plannedStep: z.ZodType<PlannedStep> = z.union([
  z.object({ ...stepFields, applies: z.literal(false), because: z.string() }),
  z.object({
    ...stepFields,
    applies: z.literal(true).optional(),
    commands: z.array(command),
    undo: z.array(command).optional(),
    noUndo: z.string().optional(),
    limits: z.array(z.object({ text: z.string() })).optional(),
    bytes: z.number().optional(),
    notes: z.array(z.string()).optional(),
    holds: z.array(z.object({ what: z.string(), until: z.string().optional(), atMostMs: z.number().optional() })).optional(),
  }),
]);

export const planSchema: z.ZodType<Plan> = z.object({
  runbook: z.string(),
  version: z.int(),
  database: z.string(),
  input: plainData,
  steps: z.array(plannedStep),
  variables: z.record(z.string(), z.string()).describe('Psql variables of the commands: what each stands for'),
  facts: z.string(),
  digest: z.string(),
  from: z.string().optional().describe('The first step that the digest covers; all of them when it is absent'),
  madeAt: time,
});

export const leaseSchema = z.object({
  database: z.string(),
  state: z.enum(['held', 'free', 'orphaned']),
  holder: z.string().nullable().describe('The run that holds it, or held it last'),
  epoch: z.int(),
  since: time.nullable(),
});

export const leasesSchema = z.object({
  leases: z.array(
    leaseSchema.extend({
      why: z.string().nullable().describe('What its run does, or what it left; for a free one that runs wait for, whose turn it is'),
      waiting: z.int().describe('How many runs wait for it'),
    }),
  ),
});

export const databaseSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  provider: z.string(),
  owners: z.string(),
  policy: z.string(),
  requesters: z.array(z.string()).describe('The groups whose people may ask for a run'),
  operators: z.array(z.string()).describe('The groups whose people may answer for a failed step, and cancel'),
  pooled: z.boolean(),
});

export const runbookSchema = z.object({
  name: z.string(),
  version: z.int(),
  risk,
  summary: z.string(),
  input: plainData.describe('JSON Schema of the input'),
  steps: z.array(
    z.object({ id: z.string(), kind: stepFields.kind, title: z.string(), skippable: z.boolean(), pointOfNoReturn: z.boolean() }),
  ),
});

const openRun: z.ZodType<OpenRun> = z.object({
  run: z.string(),
  state: z.enum(runStates),
  holds: z.boolean().describe('Whether it holds the lease of a database of this run'),
});

export const acceptedSchema = z.object({
  run: z.string(),
  id: z.string().describe('The ULID: what people type'),
  state: z.enum(runStates),
  location: z.string(),
  created: z.boolean().describe('false: this Idempotency-Key had asked for it before'),
  delayed: z.string().nullable().describe('Why it has not started yet; it is tried again'),
  others: z.array(openRun).describe('Other runs that are open on its database, or on another one that it names; ten at most'),
});

export const judgedSchema = z.object({
  decision: z.string(),
  counts: z.boolean().nullable().describe('null: recorded and delivered, judged as soon as a worker is there'),
  settled: choiceSchema.nullable(),
  because: z.string(),
});

const tokenFields = {
  id: z.string(),
  person: z.string(),
  kind: z.enum(tokenKinds),
  scopes: z.array(z.enum(everyScope)),
  note: z.string().nullable(),
  createdAt: time,
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  lastUsedAt: time.nullable().describe('At most a minute behind'),
  oldSecretUntil: time.nullable().describe('Until when a secret that was replaced is valid'),
};

export const tokenSchema: z.ZodType<TokenRow> = z.object(tokenFields);

export const madeTokenSchema: z.ZodType<TokenRow & { token: string }> = z.object({
  ...tokenFields,
  token: z.string().describe('Shown once, stored as a hash'),
});

export const readinessSchema: z.ZodType<Readiness> = z.object({
  ready: z.literal(true),
  degraded: z
    .array(z.object({ what: z.enum(['workers', 'schema', 'runs', 'sweepers']), because: z.string() }))
    .describe('What is wrong, though requests are served'),
});

export const auditSchema = z.object({
  from: z.int().describe('The first row that was read: 1 is the whole record, else the rows before were verified earlier'),
  rows: z.int(),
  head: z.string().nullable(),
  anchor: z.string().nullable().describe('Rows and head, to be kept elsewhere and given with the next question; null when a row is bad'),
  bad: z.object({ seq: z.int(), what: z.string() }).nullable().describe('The first row that does not fit'),
});
