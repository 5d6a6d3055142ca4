import { z } from 'zod';
import type { backupCommands } from '../../activities/backup/commands.ts';
import type * as recovery from '../../activities/recovery/commands.ts';
import type { RestoreFacts } from '../../activities/recovery/take-restore-facts.ts';
import { accidentSchema } from '../../domain/accident.ts';
import type { StepPlan, StepPlans } from '../../domain/plan.ts';
import type { PlanQuestion, Runbook } from '../../domain/runbook.ts';
import { foundNotes } from './found-notes.ts';
import { snapshotStall } from '../snapshot-stall.ts';
import { subject } from './subject.ts';
import { notCarriedNotes, heldNote, oldNote, otherDatabaseNotes, passwordNotes, replicationNotes, whatIsLost } from './switch-notes.ts';
import { variables } from './variables.ts';

const identifier = z.string().min(1).max(63);

const table = z.strictObject({
  schema: identifier.default('public'),
  name: identifier,
  where: z.string().min(1).max(4_000).optional().describe('What would stand after WHERE: only these rows; without it all of them'),
});

const input = z
  .strictObject({
    moment: z
      .string()
      .max(40)
      .optional()
      .describe('The moment to restore to, with a time zone and in whole seconds, such as 2026-11-21T18:04:05Z'),
    snapshot: z.string().min(1).max(255).optional().describe('The snapshot to restore, instead of a moment'),
    before: accidentSchema.optional().describe('Instead of a moment: what happened to a table. The last second before it is looked for'),
    // oxlint-disable-next-line unicorn/no-thenable -- it is a word: only a function there would make an await wait for it
    then: z
      .enum(['copy-back', 'switch-over', 'keep-beside', 'throw-away'])
      .default('keep-beside')
      .describe(
        'What comes of the restored copy: tables are copied back and it is removed, it takes the place of the one in use, it is kept, or it was only a proof',
      ),
    tables: z.array(table).max(200).default([]).describe('With copy-back: the tables that come back'),
    keepOldDays: z.number().int().min(1).max(365).default(7).describe('With switch-over: days until the old one may be removed'),
  })
  .superRefine(({ moment, snapshot, before, then, tables }, context) => {
    const wrong = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const named = Object.entries({ moment, snapshot, before }).flatMap(([field, value]) => (value === undefined ? [] : [field]));
    if (named.length === 0) wrong('moment', 'name a moment, or a snapshot, or what the moment is before');
    if (named.length > 1) wrong(named[1] ?? '', `name one of moment, snapshot and before, not both ${named.join(' and ')}`);
    if (then === 'copy-back' && tables.length === 0) wrong('tables', 'name the tables that are to be copied back');
    if (then !== 'copy-back' && tables.length > 0)
      wrong('tables', `with ${then} no table is copied back: leave them out, or say copy-back`);
  });

export type RestoreInput = z.infer<typeof input>;

interface Commands {
  readonly backup: typeof backupCommands;
  readonly recovery: typeof recovery;
}

export const steps = {
  ready: { kind: 'check', title: 'Wait until the instance takes changes' },
  'approve-restore': { kind: 'approval', title: 'Agree to restore beside' },
  'await-moment': { kind: 'wait', title: 'Wait until the moment can be restored' },
  'restore-moment': { kind: 'change', title: 'Restore the moment beside' },
  'restore-snapshot': { kind: 'change', title: 'Restore the snapshot beside' },
  available: { kind: 'wait', title: 'Wait until the copy answers' },
  'apply-settings': { kind: 'change', title: 'Set the settings of the one in use', skippable: true, onOwnThings: true },
  'set-password': { kind: 'change', title: 'Set the main user’s password of now', skippable: true, onOwnThings: true },
  'settings-applied': { kind: 'wait', title: 'Wait until the settings are in force' },
  'compare-settings': { kind: 'check', title: 'Compare the settings', skippable: true },
  hydrate: { kind: 'change', title: 'Read every page of the copy', skippable: true, onOwnThings: true },
  verify: { kind: 'check', title: 'Verify the copy', skippable: true },
  prove: { kind: 'check', title: 'Write the proof into the ledger', skippable: true },
  'approve-next': { kind: 'approval', title: 'Agree to what comes of the copy' },
  'copy-aside': { kind: 'change', title: 'Copy the tables into a side schema' },
  'bring-back': { kind: 'change', title: 'Bring the rows back' },
  'compare-after': { kind: 'check', title: 'Compare what came back', skippable: true },
  'own-backup': { kind: 'change', title: 'Back up the one in use' },
  'backed-up': { kind: 'wait', title: 'Wait until the backup is whole' },
  'set-passwords': { kind: 'change', title: 'Set the application’s passwords of now', onOwnThings: true },
  fence: { kind: 'change', title: 'Stop all writes' },
  'rename-old': { kind: 'change', title: 'Put the one in use aside' },
  'rename-copy': { kind: 'change', title: 'Give the copy its name' },
  named: { kind: 'wait', title: 'Wait until the copy has the name' },
  'open-copy': { kind: 'change', title: 'Take the copy out of quarantine' },
  'verify-switched': { kind: 'check', title: 'See that the copy answers in its place' },
  'let-in': { kind: 'change', title: 'Let clients write to the copy', pointOfNoReturn: true },
  'remove-restored': { kind: 'change', title: 'Remove the restored copy', onOwnThings: true },
  'remove-aside': { kind: 'change', title: 'Remove the side schema', pointOfNoReturn: true },
} as const;

const kept: Readonly<Partial<Record<RestoreInput['then'], Readonly<Record<string, string>>>>> = {
  'keep-beside': { 'restore-moment': 'a restored copy, kept beside', 'restore-snapshot': 'a restored copy, kept beside' },
  'switch-over': { 'own-backup': 'the backup of the one that was in use, from before the switch-over' },
};

/** Restores a database beside the one in use, proves the copy, and does with it what people agree to. */
export const pitrRestore: Runbook<RestoreInput, RestoreFacts, Commands> = {
  name: 'pitr-restore',
  version: 1,
  risk: 'medium',
  summary:
    'Restores a database to a moment, or a snapshot, beside the one in use; copies tables back, switches over to it, keeps it, or throws it away.',
  input,
  needs: ({ before, then }) => [
    ...['restore', 'settings', 'remove'],
    ...(then === 'switch-over' ? ['backup', 'swap'] : []),
    ...(before === undefined ? [] : ['logs']),
  ],
  steps,
  takesBack: {
    undos: {
      'restore-moment': 'backup.deleteRestored',
      'restore-snapshot': 'backup.deleteRestored',
      'copy-aside': 'recovery.removeAside',
      'bring-back': 'recovery.takeOut',
      'own-backup': 'backup.deleteSnapshot',
      fence: 'recovery.liftFence',
      'rename-old': 'backup.nameSourceBack',
      'rename-copy': 'backup.nameRestoredBack',
      'open-copy': 'backup.closeRestored',
    },
    goesAlong: ['apply-settings', 'set-password', 'hydrate', 'set-passwords', 'remove-restored'],
    subject,
  },
  keeps: ({ then }) => kept[then] ?? {},
  variables,
  plan,
};

type StepId = keyof typeof steps;
type Question = PlanQuestion<RestoreInput, RestoreFacts, Commands>;

function plan(question: Question): StepPlans {
  return { ...restore(question), ...proof(question), ...whatComes(question) } satisfies Record<StepId, StepPlan>;
}

function restore({ facts, commands }: Question) {
  const backup = commands.backup(facts);
  const { bytes, window } = facts.observed;
  const undo = backup.deleteRestored(facts);
  const fromMoment = facts.binding.restore?.from.kind === 'moment';
  const absent = (because: string): StepPlan => ({ applies: false, because });
  return {
    ready: { commands: [], notes: ['Only reads.'] },
    'approve-restore': { commands: [] },
    'await-moment': fromMoment
      ? {
          commands: [],
          notes: [...foundNotes(facts), ...(window ? [`now from ${window.earliest} to ${window.latest} can be restored`] : [])],
        }
      : absent('a snapshot is restored'),
    'restore-moment': fromMoment
      ? { commands: backup.restoreToPointInTime(facts), undo, notes: [besideNote] }
      : absent('a snapshot is restored'),
    'restore-snapshot': fromMoment
      ? absent('a moment is restored')
      : { commands: backup.restoreFromSnapshot(facts), undo, notes: [...snapshotNotes(facts), besideNote] },
    available: { commands: [], bytes },
    'apply-settings': { commands: backup.applySettings(facts), noUndo: 'the copy itself is what the undo removes' },
    'set-password': facts.binding.source.asMainUser
      ? { commands: backup.setMainPassword(facts), noUndo: 'it goes with the copy', notes: [passwordNote] }
      : absent('Steadyhand does not log in as the main user, or its password is the provider’s'),
    'settings-applied': { commands: [] },
    'compare-settings': { commands: [], notes: ['What differs, or is still pending, is listed in the evidence.'] },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

const besideNote = 'The database in use stays as it is; nobody but Steadyhand’s role is meant to reach the copy in its quarantine.';

function snapshotNotes({ observed: { snapshot } }: RestoreFacts): string[] {
  return snapshot
    ? [`The snapshot is of ${snapshot.of} (${snapshot.resource}), taken at ${snapshot.takenAt ?? 'a time that is not known'}.`]
    : [];
}

const passwordNote =
  'The copy has the passwords of the moment; this one is as the inventory’s secret has it now, so that Steadyhand can log in.';

function proof({ facts, commands }: Question) {
  return {
    hydrate: {
      commands: commands.recovery.hydrate(),
      bytes: facts.observed.bytes,
      noUndo: 'it reads; the extension that it makes on the copy goes again',
    },
    verify: { commands: commands.recovery.verify({}, facts), bytes: facts.observed.bytes },
    prove: { commands: [], notes: ['A row in Steadyhand’s own ledger.'] },
    'approve-next': { commands: [], notes: notCarriedNotes(facts) },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

const notes: Readonly<Record<RestoreInput['then'], string>> = {
  'copy-back': 'its tables are back then',
  'switch-over': 'the copy serves now (switch-over)',
  'keep-beside': 'the copy is kept beside (keep-beside); it costs money until somebody removes it',
  'throw-away': 'the copy was a proof (throw-away)',
};

function whatComes({ database, input: given, facts, commands }: Question) {
  const absent: StepPlan = { applies: false, because: `nothing is copied back (${given.then})` };
  const copies = given.then === 'copy-back';
  return {
    ...(copies
      ? copyBack({ database, facts, commands })
      : { 'copy-aside': absent, 'bring-back': absent, 'compare-after': absent, 'remove-aside': absent }),
    ...(given.then === 'switch-over' ? switchOver({ facts, commands }) : switchNothing(given.then)),
    'remove-restored':
      given.then === 'keep-beside' || given.then === 'switch-over'
        ? { applies: false, because: notes[given.then] }
        : { commands: commands.backup(facts).deleteRestored(facts), noUndo: notes[given.then] },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

/** Before the copy is there nobody knows its tables: the plan that the second approval is asked for has the commands. */
function copyBack({ database, facts, commands: { recovery: verbs } }: Pick<Question, 'database' | 'facts' | 'commands'>) {
  const { copyBack: copy } = facts.binding;
  const noUndo = 'the rows are back: what was only needed to take them out again goes';
  if (!copy) {
    const later: StepPlan = { commands: [], notes: ['The commands stand in the plan that the second approval is asked for.'] };
    return { 'copy-aside': later, 'bring-back': later, 'compare-after': later, 'remove-aside': { ...later, noUndo } };
  }
  const told = { database, restored: {}, facts: '' };
  return {
    'copy-aside': {
      commands: verbs.copyAside(told, copy),
      undo: verbs.removeAside(told, copy),
      ...(facts.observed.chosen ? { bytes: facts.observed.chosen.bytes, notes: fittingNotes(facts.observed.chosen.fitting) } : {}),
    },
    'bring-back': { commands: verbs.bringBack(told, copy), undo: verbs.takeOut(told, copy), notes: verbs.notes(copy) },
    'compare-after': { commands: verbs.compareAfter(told, copy) },
    'remove-aside': { commands: verbs.removeAside(told, copy), noUndo },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

/** How many rows the conditions choose, table by table. */
const fittingNotes = (fitting: readonly { readonly table: string; readonly rows: number | null }[]): string[] =>
  fitting.map(({ table, rows }) =>
    rows === null
      ? `the rows of ${table} that fit its condition are too many to be counted in a moment: the evidence has their number`
      : `${rows} ${rows === 1 ? 'row' : 'rows'} of ${table} ${rows === 1 ? 'fits' : 'fit'} its condition`,
  );

function switchNothing(then: RestoreInput['then']) {
  const absent: StepPlan = { applies: false, because: `the copy takes nobody’s place (${then})` };
  return {
    'own-backup': absent,
    'backed-up': absent,
    'set-passwords': absent,
    fence: absent,
    'rename-old': absent,
    'rename-copy': absent,
    named: absent,
    'open-copy': absent,
    'verify-switched': absent,
    'let-in': absent,
  } satisfies Partial<Record<StepId, StepPlan>>;
}

/** What the copy's rights to connect are, nobody knows before it is there: then the second approval is asked for a plan that has them. */
function switchOver({ facts, commands }: Pick<Question, 'facts' | 'commands'>) {
  const backup = commands.backup(facts);
  const verbs = commands.recovery;
  const later = facts.binding.switching?.copy ? [] : ['The commands stand in the plan that the second approval is asked for.'];
  return {
    'own-backup': {
      commands: backup.createSnapshot(facts),
      undo: backup.deleteSnapshot(facts),
      bytes: facts.observed.bytes,
      holds: [snapshotStall],
    },
    'backed-up': { commands: [] },
    'set-passwords': {
      commands: verbs.setPasswords({}, facts),
      noUndo: 'it goes with the copy',
      notes: passwordNotes(facts),
    },
    fence: {
      commands: verbs.fence({}, facts),
      undo: verbs.liftFence({}, facts),
      holds: [{ what: 'writes', until: 'let-in' }],
      notes: [...later, ...whatIsLost(facts, verbs), heldNote(facts), ...otherDatabaseNotes(facts), ...replicationNotes(facts)],
    },
    'rename-old': { commands: backup.renameSource(facts), undo: backup.nameSourceBack(facts), notes: [oldNote] },
    'rename-copy': { commands: backup.renameRestored(facts), undo: backup.nameRestoredBack(facts) },
    named: { commands: [] },
    'open-copy': { commands: backup.openRestored(facts), undo: backup.closeRestored(facts) },
    'verify-switched': { commands: verbs.verifySwitched({}, facts) },
    'let-in': { commands: verbs.letIn({}, facts), noUndo: 'what clients write to the copy is on the copy alone', notes: later },
  } satisfies Partial<Record<StepId, StepPlan>>;
}
