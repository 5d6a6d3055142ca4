import type { StepState } from '../domain/step.ts';

/** What happened, for everything but steps. The functions of the migrations write the same words. */
export const eventKinds = [
  'run.requested',
  'run.planned',
  'run.state',
  'run.closed',
  'run.cleared',
  'attempt.intended',
  'attempt.settled',
  'attempt.superseded',
  'approval.opened',
  'approval.reminded',
  'approval.escalated',
  'approval.closed',
  'decision.made',
  'decision.judged',
  'lease.taken',
  'lease.freed',
  'lease.orphaned',
  'lease.released',
  'janitor.asked',
  'no-return.decided',
  'freeze.on',
  'freeze.off',
  'break-glass.used',
  'break-glass.reviewed',
  'evidence.recorded',
  'proof.recorded',
  'token.created',
  'token.rotated',
  'token.revoked',
] as const;

/** `step.done`, `step.failed`, …: a step's new state. */
export type EventKind = (typeof eventKinds)[number] | `step.${StepState}`;
