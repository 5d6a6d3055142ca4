import { z } from 'zod';
import type { BackupCommands } from '../../activities/backup/contract.ts';
import type { BackupFacts } from '../../activities/providers/backup-facts.ts';
import type { StepPlan, StepPlans } from '../../domain/plan.ts';
import type { PlanQuestion, Runbook } from '../../domain/runbook.ts';
import { subject } from './subject.ts';

const input = z.strictObject({
  instance: z
    .string()
    .regex(/^[a-z](?!.*--)[a-z0-9-]{0,62}$(?<!-)/, 'the name of an instance: lower-case letters, digits and single dashes')
    .describe('The old instance, by the name that the switch-over gave it: <name>-old-<its run’s id in lower case>'),
  early: z.boolean().default(false).describe('Remove it before the day when it is due'),
});

export type RemoveInput = z.infer<typeof input>;

interface Commands {
  backup(facts: BackupFacts): BackupCommands;
}

export const steps = {
  'approve-removal': { kind: 'approval', title: 'Agree to the removal' },
  ready: { kind: 'wait', title: 'Wait until the old instance can be removed' },
  remove: { kind: 'change', title: 'Remove it, with a last snapshot', pointOfNoReturn: true },
  'last-snapshot': { kind: 'wait', title: 'Wait until the last snapshot is whole' },
} as const;

/** Removes the instance that a switch-over has put aside, once it is due. Its data stays in a last snapshot. */
export const removeOld: Runbook<RemoveInput, BackupFacts, Commands> = {
  name: 'remove-old',
  version: 1,
  risk: 'high',
  summary: 'Removes an old instance that a switch-over has put aside, with a last snapshot and its automated backups kept.',
  input,
  needs: () => ['restore', 'remove'],
  steps,
  takesBack: { undos: {}, subject },
  variables: {
    tag: 'the name of everything that this run makes: steadyhand- and the run’s id in lower case; the last snapshot has -last after it',
  },
  plan,
};

function plan({ facts, commands }: PlanQuestion<RemoveInput, BackupFacts, Commands>): StepPlans {
  const { old } = facts.binding;
  return {
    'approve-removal': { commands: [] },
    ready: { commands: [], notes: ['Only reads.'] },
    remove: {
      commands: commands.backup(facts).deleteInstance(facts),
      noUndo: 'a removed instance does not come back; what it had can be restored from its last snapshot',
      notes: [
        `${old?.run ?? ''} has put it aside, to be kept until ${old?.removeAfter ?? ''}.`,
        'The last snapshot stays, and costs its storage, until somebody removes it. The automated backups stay for as long as their retention says.',
      ],
    },
    'last-snapshot': { commands: [], bytes: facts.observed.bytes },
  } satisfies Record<keyof typeof steps, StepPlan>;
}
