import { z } from 'zod';
import { proofLevels } from '../control/contract.ts';

const moment = z.string().nullable();

const proofSchema = z.object({
  id: z.string(),
  run: z.string(),
  database: z.string(),
  at: z.string(),
  verified: z.enum(proofLevels).describe('Only `restored-and-queried` proves that the database can be brought back'),
  backup: z.string().describe('What was restored'),
  backupAt: moment,
  target: moment.describe('The moment that was asked for; null: the newest'),
  recoveredTo: moment.describe('The newest row or commit that is there'),
  secondsAvailable: z.number().nullable().describe('Until it answered'),
  secondsHydrated: z.number().nullable().describe('Until every page had been read'),
  checks: z.array(z.object({ tier: z.string(), state: z.string(), seconds: z.number() })).readonly(),
  versions: z.record(z.string(), z.string()),
});

/** A page of the ledger of proofs. */
export const proofsSchema = z.object({
  proofs: z.array(proofSchema),
  next: z.string().nullable().describe('`before` of the next page'),
  overdue: z
    .array(z.object({ database: z.string(), lastProvedAt: moment, withinDays: z.number() }))
    .describe('Databases that had no proved restore for as long as their policy allows'),
});
