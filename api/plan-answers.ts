import { z } from 'zod';
import { findingLevels, type Finding } from '../domain/finding.ts';
import type { Plan } from '../domain/plan.ts';
import type { PlanSummary } from '../domain/plan-summary.ts';
import { planSchema } from './answers.ts';

/** A plan that nobody has asked to be executed, with what would stop it now. */
export interface PreviewAnswer {
  readonly blocked: boolean;
  readonly summary: PlanSummary;
  readonly findings: readonly Finding[];
  readonly plan: Plan;
}

const position = z.int().describe('Position of a step, from 1');

const summarySchema: z.ZodType<PlanSummary> = z.object({
  steps: z.int().describe('Those that apply'),
  changes: z.int(),
  approvals: z.array(position),
  estimate: z.object({
    seconds: z.number().describe('Of the steps that have an estimate, without the time that people take'),
    unknown: z.int().describe('How many steps have none'),
  }),
  holds: z
    .array(
      z.object({
        what: z.string(),
        step: position,
        until: position,
        atMostSeconds: z.number().nullable().describe('A limit that the run keeps: over it, it gives up'),
        aboutSeconds: z.number().nullable().describe('By the estimates of its steps; null when one of them has none'),
        asks: z.boolean().describe('Whether people are asked meanwhile: it lasts as long as they take, too'),
      }),
    )
    .describe('What users of the database notice while the run works'),
  noReturn: position.nullable().describe('The first step without a way back'),
});

const findingSchema: z.ZodType<Finding> = z.object({
  check: z.string(),
  level: z.enum(findingLevels),
  evidence: z.string(),
  fix: z.string(),
});

export const previewSchema: z.ZodType<PreviewAnswer> = z.object({
  blocked: z.boolean().describe('Whether a finding blocks: a run that is asked for now would be refused'),
  summary: summarySchema,
  findings: z.array(findingSchema).describe('What blocks comes first'),
  plan: planSchema,
});
