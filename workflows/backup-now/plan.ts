import { z } from 'zod';
import type { BackupCommands } from '../../activities/backup/contract.ts';
import type { BackupFacts } from '../../activities/providers/backup-facts.ts';
import type { StepPlan, StepPlans } from '../../domain/plan.ts';
import type { PlanQuestion, Runbook } from '../../domain/runbook.ts';
import { snapshotStall } from '../snapshot-stall.ts';
import { subject } from './subject.ts';

const input = z.strictObject({});

type BackupInput = z.infer<typeof input>;

interface Commands {
  backup(facts: BackupFacts): BackupCommands;
}

export const steps = {
  'approve-backup': { kind: 'approval', title: 'Agree to the backup' },
  ready: { kind: 'wait', title: 'Wait until the instance takes a backup' },
  snapshot: { kind: 'change', title: 'Make a snapshot' },
  whole: { kind: 'wait', title: 'Wait until the snapshot is whole' },
} as const;

/** A snapshot of a database, now, that stays until somebody removes it. */
export const backupNow: Runbook<BackupInput, BackupFacts, Commands> = {
  name: 'backup-now',
  version: 1,
  risk: 'low',
  summary: 'Makes a snapshot of a database now, and waits until it is whole.',
  input,
  needs: () => ['backup', 'restore'],
  steps,
  takesBack: { undos: { snapshot: 'backup.deleteSnapshot' }, subject },
  keeps: () => ({ snapshot: 'a backup' }),
  variables: {
    tag: 'the name of everything that this run makes: steadyhand- and the run’s id in lower case',
    run: 'the run’s workflow id',
    key: 'the run’s workflow id with the step and how often it was started',
  },
  plan,
};

function plan({ facts, commands }: PlanQuestion<BackupInput, BackupFacts, Commands>): StepPlans {
  const { createSnapshot, deleteSnapshot } = commands.backup(facts);
  return {
    'approve-backup': { commands: [] },
    ready: { commands: [] },
    snapshot: {
      commands: createSnapshot(facts),
      undo: deleteSnapshot(facts),
      holds: [snapshotStall],
      notes: [
        'On a single machine writes may stall for a moment while it begins.',
        'It stays, and costs its storage, until somebody removes it.',
      ],
    },
    whole: { commands: [], bytes: facts.observed.bytes },
  } satisfies Record<keyof typeof steps, StepPlan>;
}
