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
        region: z.string().nullable().describe('Of what stands at a provider; else null'),
        run: z.string().nullable().describe('The run whose name it bears'),
        owner: z.enum(['closed', 'unknown']),
        command: z.string().nullable().describe('What to do; null: nothing is removed whose run is not known here'),
      }),
    )
    .describe('What was found on the databases and at their providers, is no open run’s and was not kept on purpose'),
  kept: z
    .array(
      z.object({
        database: z.string(),
        kind: z.string(),
        name: z.string(),
        region: z.string(),
        run: z.string(),
        what: z.string().describe('What it is kept as'),
        since: time.nullable().describe('Since when it is there; null while it is being made'),
        due: z.string().nullable().describe('The day from which on it is meant to go; null: somebody decides'),
        command: z.string().describe('What removes it once nobody needs it'),
      }),
    )
    .describe('What runs that succeeded have left at a provider on purpose'),
  unseen: z.array(z.object({ database: z.string(), because: z.string() })).describe('Databases that could not be looked at'),
});

export const clearingSchema = z.object({ run: z.string(), asked: z.int().describe('The number of its event; `run.cleared` names it') });
