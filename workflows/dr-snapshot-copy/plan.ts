import { z } from 'zod';
import type { BackupCommands } from '../../activities/backup/contract.ts';
import type { CopyAbroadFacts } from '../../activities/backup/copy-abroad-facts.ts';
import type { BackupFacts } from '../../activities/providers/backup-facts.ts';
import type { verify } from '../../activities/recovery/verify-commands.ts';
import type { StepPlan, StepPlans } from '../../domain/plan.ts';
import type { PlanQuestion, Runbook } from '../../domain/runbook.ts';
import { subject } from './subject.ts';

const input = z.strictObject({
  snapshot: z
    .enum(['newest', 'new'])
    .default('newest')
    .describe('newest: the newest snapshot that the provider has made by itself; new: one that this run makes'),
  verification: z
    .enum(['none', 'available', 'restored-and-queried'])
    .default('restored-and-queried')
    .describe('How far the copy is proved by a drill in the other region; only restored-and-queried counts as good'),
  prune: z.boolean().default(true).describe('Whether old copies go that the rule of keeping keeps no longer'),
});

export type CopyAbroadInput = z.infer<typeof input>;

interface Commands {
  backup(facts: BackupFacts): BackupCommands;
  readonly recovery: { readonly verify: typeof verify };
}

export const steps = {
  check: { kind: 'check', title: 'Check the other region’s kit' },
  'approve-copy': { kind: 'approval', title: 'Agree to the copy' },
  ready: { kind: 'wait', title: 'Wait until the instance takes a snapshot' },
  snapshot: { kind: 'change', title: 'Make a new snapshot' },
  'snapshot-whole': { kind: 'wait', title: 'Wait until the snapshot is whole' },
  room: { kind: 'wait', title: 'Wait for room among the copies into that region' },
  copy: { kind: 'change', title: 'Copy it into the other region' },
  'copy-whole': { kind: 'wait', title: 'Wait until the copy is whole' },
  drill: { kind: 'change', title: 'Restore the copy there, as a drill' },
  available: { kind: 'wait', title: 'Wait until the restored copy answers' },
  'set-password': { kind: 'change', title: 'Set the main user’s password of now', skippable: true, onOwnThings: true },
  'password-set': { kind: 'wait', title: 'Wait until the password is in force' },
  verify: { kind: 'check', title: 'Verify what was restored' },
  'tear-down': { kind: 'change', title: 'Tear the drill down', onOwnThings: true },
  prove: { kind: 'check', title: 'Write the proof into the ledger' },
  'remove-snapshot': { kind: 'change', title: 'Remove the new snapshot', skippable: true, onOwnThings: true },
  prune: { kind: 'change', title: 'Remove old copies', skippable: true, pointOfNoReturn: true },
  evidence: { kind: 'check', title: 'Put the evidence together', skippable: true },
} as const;

/** What stands in the commands' text for values that are known only when the step runs. */
const variables = {
  tag: 'the name of everything that this run makes: steadyhand- and the run’s id in lower case',
  run: 'the run’s workflow id',
  key: 'the run’s workflow id with the step and how often it was started',
  snapshot: 'the ARN of the snapshot that this run has made',
  password: 'the password that the inventory’s secret has now; it is never shown',
  amcheck: 'the schema of the extension amcheck',
  relation: 'the oid of the table or index that is checked',
};

/** Copies a snapshot into the disaster-recovery region, proves it by a drill there, and removes what is too old. */
export const drSnapshotCopy: Runbook<CopyAbroadInput, CopyAbroadFacts, Commands> = {
  name: 'dr-snapshot-copy',
  version: 1,
  risk: 'medium',
  summary: 'Copies a snapshot into the disaster-recovery region, proves it there by a drill, and removes old copies.',
  input,
  needs: ({ verification }) => [
    ...['restore', 'backup', 'copy', 'remove'],
    ...(verification === 'restored-and-queried' ? ['settings'] : []),
  ],
  steps,
  takesBack: {
    undos: {
      snapshot: 'backup.deleteSnapshot',
      copy: 'backup.deleteCopy',
      drill: 'backup.deleteRestored',
    },
    goesAlong: ['set-password', 'tear-down', 'remove-snapshot'],
    subject,
  },
  keeps: () => ({ snapshot: 'the snapshot that was copied', copy: 'a copy for the day when a region is lost' }),
  variables,
  plan,
};

type StepId = keyof typeof steps;
type Question = PlanQuestion<CopyAbroadInput, CopyAbroadFacts, Commands>;

function plan(question: Question): StepPlans {
  const evidence: StepPlan = { commands: [], notes: ['Only reads: the copy, and which of the old ones are gone.'] };
  return { ...theCopy(question), ...theDrill(question), prune: pruning(question), evidence } satisfies Record<StepId, StepPlan>;
}

function theCopy({ facts, input: given, commands }: Question) {
  const backup = commands.backup(facts);
  const { copy } = facts.binding;
  const { bytes, takenAt, copiesUnderWay } = facts.observed;
  const notNew: StepPlan = { applies: false, because: 'the newest snapshot of the provider’s own is copied (snapshot: newest)' };
  const isNew = given.snapshot === 'new';
  const key = copy?.key === null ? 'The copy is not encrypted, as its source.' : `The copy is encrypted with ${copy?.key ?? ''}.`;
  return {
    check: { commands: [], notes: ['Only reads: key, engine version, groups and quota in the other region.'] },
    'approve-copy': { commands: [] },
    ready: isNew ? { commands: [] } : notNew,
    snapshot: isNew
      ? {
          commands: backup.createSnapshot(facts),
          undo: backup.deleteSnapshot(facts),
          notes: [
            'On a single machine writes may stall for a moment while it begins.',
            'It goes again at the end, by the step remove-snapshot.',
          ],
        }
      : notNew,
    'snapshot-whole': isNew ? { commands: [], bytes } : notNew,
    'remove-snapshot': isNew
      ? { commands: backup.deleteSnapshot(facts), noUndo: 'it was made for the copy alone, and the copy stands for itself' }
      : notNew,
    room: {
      commands: [],
      notes: copiesUnderWay
        ? [`${copiesUnderWay.now} of at most ${copiesUnderWay.atMost} copies into ${copy?.region ?? ''} are being made now.`]
        : [],
    },
    copy: {
      commands: backup.copySnapshot(facts),
      undo: backup.deleteCopy(facts),
      notes: [takenAt === null ? 'Its data is of the moment of the new snapshot.' : `Its data is of ${takenAt}.`, key],
    },
    'copy-whole': {
      commands: [],
      bytes,
      notes: ['Copies of one database into one region queue; the wait costs nothing and survives restarts.'],
    },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

function theDrill({ facts, input: given, commands }: Question) {
  const { restoreFromSnapshot, deleteRestored } = given.verification === 'none' ? noDrill : commands.backup(facts);
  const none: StepPlan = { applies: false, because: 'no drill was asked for (verification: none)' };
  const { bytes } = facts.observed;
  const drills = given.verification !== 'none';
  return {
    drill: drills
      ? {
          commands: restoreFromSnapshot(facts),
          undo: deleteRestored(facts),
          notes: ['In quarantine: the application does not reach it. It costs an instance for as long as the drill takes.'],
        }
      : none,
    available: drills ? { commands: [], bytes } : none,
    ...thePassword({ facts, input: given, commands }),
    verify:
      given.verification === 'restored-and-queried'
        ? {
            commands: commands.recovery.verify({}, facts),
            bytes,
            notes: ['Does it fail, the run asks, and what was restored stays to be looked at until people have decided.'],
          }
        : drills
          ? { applies: false, because: 'that it answers is all that was asked for (verification: available)' }
          : none,
    'tear-down': drills ? { commands: deleteRestored(facts), noUndo: 'the drill is over; the copy itself stays' } : none,
    prove: { commands: [], notes: [`A row in Steadyhand’s own ledger: ${given.verification}.`] },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

/** Only who queries it has to log in. */
function thePassword({ facts, input: given, commands }: Pick<Question, 'facts' | 'input' | 'commands'>) {
  const absent = (because: string): Record<'set-password' | 'password-set', StepPlan> => ({
    'set-password': { applies: false, because },
    'password-set': { applies: false, because },
  });
  if (given.verification !== 'restored-and-queried') return absent(`nobody logs in (verification: ${given.verification})`);
  if (!facts.binding.source.asMainUser) return absent('Steadyhand does not log in as the main user, or its password is the provider’s');
  return {
    'set-password': { commands: commands.backup(facts).setMainPassword(facts), noUndo: 'it goes with the drill', notes: [passwordNote] },
    'password-set': { commands: [] },
  } satisfies Partial<Record<StepId, StepPlan>>;
}

const passwordNote =
  'The restored copy has the passwords of the moment of its data; this one is as the inventory’s secret has it now, so that Steadyhand can log in.';

const noDrill = { restoreFromSnapshot: () => [], deleteRestored: () => [] };

/** What goes stands in the commands one by one, what stays in the notes: people agree to just this. */
function pruning({ facts, input: given, commands }: Question): StepPlan {
  const { prune } = facts.binding;
  const { earlier } = facts.observed;
  if (!given.prune) return { applies: false, because: 'nothing is to be removed (prune: false)' };
  if (!prune || !earlier) return { applies: false, because: 'the ledger of proofs could not be read: nothing is removed without it' };
  if (prune.remove.length === 0) return { applies: false, because: `none of the ${earlier.length} earlier copies is too old` };
  const line = ({ id, takenAt, because }: (typeof earlier)[number]): string => `${id} of ${takenAt}: ${because}`;
  return {
    commands: commands.backup(facts).removeCopies(facts),
    noUndo: 'a removed copy does not come back',
    notes: [
      'This run’s own copy is not counted: what the rule keeps does not lean on it.',
      ...earlier.filter((one) => !one.keep).map((one) => `goes: ${line(one)}`),
      ...earlier.filter((one) => one.keep).map((one) => `stays: ${line(one)}`),
    ],
  };
}
