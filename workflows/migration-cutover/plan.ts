import { z } from 'zod';
import type * as pooling from '../../activities/pooling/commands.ts';
import type * as postgres from '../../activities/postgres/commands.ts';
import type * as comparing from '../../activities/postgres/compare-commands.ts';
import type * as replication from '../../activities/replication/commands.ts';
import type { Migration } from '../../activities/replication/contract.ts';
import type { MigrationFacts } from '../../activities/replication/facts.ts';
import type * as triggers from '../../activities/replication/trigger-commands.ts';
import type * as carrying from '../../activities/replication/subscribers/commands.ts';
import type * as switching from '../../activities/replication/switch/commands.ts';
import type { StepPlan, StepPlans } from '../../domain/plan.ts';
import type { PlanQuestion, Runbook } from '../../domain/runbook.ts';
import { subject } from './subject.ts';
import { variables } from './variables.ts';

const input = z.strictObject({
  target: z.string().min(1).max(63).describe('The database of the inventory that it moves to'),
  schema: z
    .enum(['copy', 'already-there'])
    .default('copy')
    .describe('copy: by pg_dump and pg_restore; already-there: the application’s migrations have made it on the target'),
  triggers: z
    .enum(['refuse', 'hold'])
    .default('refuse')
    .describe(
      'refuse: a trigger that would fire on the target for each replicated change blocks the run; hold: it is disabled there until the cutover',
    ),
  otherSubscribers: z
    .enum(['refuse', 'carry', 'leave'])
    .default('refuse')
    .describe(
      'Those who receive the source’s changes. refuse: they block the run; carry: they get slots on the target; leave: they get nothing after the switch',
    ),
  leave: z
    .array(z.string().min(3).max(200))
    .max(1_000)
    .default([])
    .describe(
      'Tables, as schema.name, whose rows may stay on the source: of what preflight finds that nothing carries, and configuration tables of extensions',
    ),
  lagBytes: z
    .number()
    .int()
    .min(1_024)
    .max(1_073_741_824)
    .default(16_777_216)
    .describe('Bytes of WAL that the target may be behind when the switch begins'),
  pauseMs: z
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(2_000)
    .describe('Milliseconds that writes may be held up; over it the old side serves again'),
});

export type MigrationInput = z.infer<typeof input>;

interface Commands {
  readonly comparing: typeof comparing;
  readonly pooling: typeof pooling;
  readonly postgres: typeof postgres;
  readonly replication: typeof replication;
  readonly carrying: typeof carrying;
  readonly switching: typeof switching;
  readonly triggers: typeof triggers;
}

export const steps = {
  preflight: { kind: 'check', title: 'Check both sides' },
  'approve-prepare': { kind: 'approval', title: 'Agree to prepare the move' },
  'copy-schema': { kind: 'change', title: 'Copy the schema to the target' },
  'try-alias': { kind: 'change', title: 'Try the new side through the pooler', skippable: true },
  'close-target': { kind: 'change', title: 'Close the target to clients' },
  'hold-triggers': { kind: 'change', title: 'Disable triggers on the target until the cutover' },
  'freeze-ddl': { kind: 'change', title: 'Freeze DDL on the source' },
  publish: { kind: 'change', title: 'Publish every table of the source' },
  subscribe: { kind: 'change', title: 'Subscribe the target' },
  'initial-copy': { kind: 'wait', title: 'Copy the rows' },
  'catch-up': { kind: 'wait', title: 'Catch up with the source' },
  analyze: { kind: 'change', title: 'Analyze the target', skippable: true },
  'approve-switch': { kind: 'approval', title: 'Agree to switch' },
  gate: { kind: 'wait', title: 'Wait until both sides are quiet' },
  'carry-subscribers': { kind: 'change', title: 'Keep places for other subscribers' },
  switch: { kind: 'change', title: 'Switch to the target', pointOfNoReturn: true },
  compare: { kind: 'check', title: 'Compare every row', skippable: true },
  retire: { kind: 'change', title: 'Remove the replication' },
} as const;

/** Moves a live database to another server, with every acknowledged write. */
export const migrationCutover: Runbook<MigrationInput, MigrationFacts, Commands> = {
  name: 'migration-cutover',
  version: 1,
  risk: 'high',
  summary: 'Moves a live database to a new server (also of a newer major version) with no lost write.',
  input,
  others: ({ target }) => ({ target }),
  steps,
  takesBack: {
    undos: {
      'copy-schema': 'postgres.removeSchema',
      'try-alias': 'pooling.removeAlias',
      'close-target': 'replication.reopenTarget',
      'hold-triggers': 'replication.releaseTriggers',
      'freeze-ddl': 'replication.thawDdl',
      publish: 'replication.unpublish',
      subscribe: 'replication.unsubscribe',
      'carry-subscribers': 'replication.dropCarried',
      switch: 'replication.switchBack',
    },
    goesAlong: ['catch-up', 'analyze'],
    subject,
  },
  variables,
  plan,
};

type StepId = keyof typeof steps;

function plan(asked: PlanQuestion<MigrationInput, MigrationFacts, Commands>): StepPlans {
  const migration = subject({ database: asked.database, input: asked.input, facts: '' });
  return { ...preparation(migration, asked), ...theSwitch(migration, asked) } satisfies Record<StepId, StepPlan>;
}

function preparation(migration: Migration, { facts, commands, input: given }: PlanQuestion<MigrationInput, MigrationFacts, Commands>) {
  const { pooling, postgres, replication, switching, triggers } = commands;
  const { sourceBytes, sourceRows, tables } = facts.observed;
  const size = `${tables.length} tables, about ${sourceRows} rows, ${megabytes(sourceBytes)}`;
  const pooled = facts.binding.pooler !== null;
  return {
    preflight: { commands: [], notes: ['Only reads. A finding that blocks refuses the run before anything is changed.'] },
    'approve-prepare': { commands: [] },
    'copy-schema':
      given.schema === 'copy'
        ? { commands: postgres.copySchema(migration, facts), undo: postgres.removeSchema(migration, facts) }
        : { applies: false, because: 'the target has the schema already (schema: already-there)' },
    'try-alias': pooled
      ? { commands: pooling.tryAlias(migration, facts), undo: pooling.removeAlias(migration, facts) }
      : { applies: false, because: 'the database has no pooler in the inventory' },
    'close-target': { commands: switching.closeTarget(migration, facts), undo: switching.reopenTarget(migration, facts) },
    'hold-triggers':
      triggers.heldTriggers(migration, facts).length > 0
        ? {
            commands: triggers.holdTriggers(migration, facts),
            undo: triggers.releaseTriggers(migration, facts),
            notes: ['They are enabled again in the switch, in their old mode, before clients write there.'],
          }
        : { applies: false, because: noTriggers[given.triggers] },
    'freeze-ddl': facts.binding.source.superuser
      ? {
          commands: replication.freezeDdl(migration, facts),
          undo: replication.thawDdl(migration, facts),
          holds: [{ what: 'DDL on the source', until: 'retire' }],
          notes: [
            'From here until the end of the run, DDL on the source is refused with a message that names the run.',
            "By hand it stops you, too: say SET steadyhand.ddl = 'allow' first.",
          ],
        }
      : {
          applies: false,
          because:
            'only a superuser can refuse DDL, and Steadyhand’s role on the source is none: make no changes to the schema until the run has ended. ' +
            'The gate and the switch compare it with what was published, and stop at a difference',
        },
    publish: { commands: replication.publish(migration, facts), undo: replication.unpublish(migration, facts), notes: staysBehind(facts) },
    subscribe: {
      commands: replication.subscribe(migration, facts),
      undo: replication.unsubscribe(migration, facts),
      notes: [
        'The replication slot keeps WAL on the source until the run ends: watch its free disk.',
        'The undo empties exactly those tables of the target that were empty before.',
      ],
    },
    'initial-copy': { commands: [], bytes: sourceBytes, notes: [size] },
    'catch-up': {
      commands: replication.catchUp(migration, facts),
      limits: [{ text: `the target is at most ${megabytes(given.lagBytes)} of WAL behind, and it reaches a marker in the source’s WAL` }],
    },
    analyze: {
      commands: postgres.analyze(migration, facts),
      noUndo: 'statistics and materialised views of the target: nobody reads them yet',
    },
    'approve-switch': { commands: [] },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

/** Each by its name and its rows: nothing stays behind unseen. */
const staysBehind = ({ observed }: MigrationFacts): string[] =>
  observed.notCarried.map(
    ({ name, kind, rows, because }) => `Not carried: ${name}, ${kind}, ${rows ?? 'an unknown number of'} rows: ${because}.`,
  );

const noTriggers = {
  hold: 'no trigger of the target fires when replication writes there',
  refuse: 'a trigger that fires when replication writes blocks the run (triggers: refuse)',
} as const;

function theSwitch(migration: Migration, asked: PlanQuestion<MigrationInput, MigrationFacts, Commands>) {
  const { facts, commands, input: given } = asked;
  const { comparing, pooling, replication, switching } = commands;
  const way = facts.binding.pooler
    ? pooling.whileHeld
    : 'Without a pooler the clients’ connections are ended; they reconnect to the new address.';
  return {
    gate: {
      commands: [],
      limits: [
        { text: `lag at most ${megabytes(given.lagBytes)}` },
        { text: `no transaction older than ${given.pauseMs} ms, no prepared transaction, no error in the subscription` },
      ],
    },
    'carry-subscribers': subscribers(migration, asked),
    switch: {
      commands: switching.switchOver(migration, facts),
      undo: switching.switchBack(migration, facts),
      holds: [{ what: 'writes', atMostMs: given.pauseMs }],
      limits: [{ text: `writes are held up for at most ${given.pauseMs} ms; else the old side serves again and the run asks` }],
      notes: [
        way,
        'After “no return” is written the old side stays closed: the run goes forward only.',
        facts.binding.source.superuser
          ? 'Superusers that could write there, but Steadyhand’s and replication’s own, lose their LOGIN on the source’s whole server; the evidence names them.'
          : 'Superusers of the source must stay away from it: Steadyhand’s role is none, so it can’t keep them out. It stops when one is inside before “no return”; a write that one makes later is found by the last step, and only there.',
      ],
    },
    compare: {
      commands: comparing.compare(migration, facts),
      bytes: facts.observed.sourceBytes,
      noUndo: 'it reads',
      notes: ['Every row of every table, on the snapshot of the switch; writes go on meanwhile.'],
    },
    retire: {
      commands: replication.retire(migration, facts),
      noUndo: 'after the point of no return; the old side stays closed and untouched',
    },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

function subscribers(migration: Migration, { facts, commands }: PlanQuestion<MigrationInput, MigrationFacts, Commands>): StepPlan {
  const { carrying } = commands;
  if (facts.binding.source.subscribers.length === 0) return { applies: false, because: 'nobody else receives the source’s changes' };
  if (migration.otherSubscribers !== 'carry')
    return {
      applies: false,
      because: `those who receive the source’s changes are not carried (otherSubscribers: ${migration.otherSubscribers})`,
    };
  return {
    commands: carrying.carrySubscribers(migration, facts),
    undo: carrying.dropCarried(migration, facts),
    notes: [
      'The switch moves these slots to where the new side begins. They keep WAL on the target until their readers have come.',
      'Each reader first reads to the end of the old side, then is pointed to the new one: by its own people.',
    ],
  };
}

function megabytes(bytes: number): string {
  return bytes < 1_048_576 ? `${Math.ceil(bytes / 1_024)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}
