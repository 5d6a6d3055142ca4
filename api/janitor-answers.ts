import { z } from 'zod';
import { outcomes } from '../domain/run.ts';

const time = z.string().describe('ISO 8601, UTC');

const intent = z.object({ step: z.string(), at: time, outcome: z.string().nullable().describe('null: nobody knows how it ended') });

export const janitorSchema = z.object({
  runs: z
    .array(
      z.object({
        run: z.string(),
        database: z.string(),
        outcome: z.enum(outcomes),
        because: z.string().nullable(),
        closedAt: time,
        lease: z.enum(['held', 'orphaned']).describe('held: it is being cleared up'),
        left: z.array(intent),
        safe: z.boolean().describe('Its own undos can take it back'),
        unsafe: z.string().nullable().describe('Why they can not'),
        command: z.string().describe('What to do'),
      }),
    )
    .describe('Runs that have ended and whose lease nobody has released'),
  objects: z
    .array(
      z.object({
        database: z.string(),
        kind: z.string(),
        name: z.string(),
        run: z.string().nullable().describe('The run whose name it bears'),
        owner: z.enum(['closed', 'unknown']),
        command: z.string().describe('What to do'),
      }),
    )
    .describe('What was found on the databases and is no open run’s'),
  unseen: z.array(z.object({ database: z.string(), because: z.string() })).describe('Databases that could not be looked at'),
});

export const clearingSchema = z.object({ run: z.string(), asked: z.int().describe('The number of its event; `run.cleared` names it') });
