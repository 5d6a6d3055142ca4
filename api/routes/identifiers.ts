import { z } from 'zod';

/** What stands in paths, queries and bodies, each with the only form that it can have. */
export const runId = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}$/, 'a run is named by its ULID, 26 characters')
  .transform((text) => text.toUpperCase())
  .describe('ULID of the run');

export const proofId = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}$/, 'a proof is named by its ULID, 26 characters')
  .describe('ULID of the proof');

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name is lower-case letters, digits and dashes');

export const databaseName = name.describe('A database of the inventory');

export const runbookName = name.describe('A runbook');

export const personName = z.string().min(1).max(200).describe('A person of the inventory');

/** Dates that the control database can hold, and that a person can mean. */
export const moment = z.iso
  .datetime({ offset: true, error: 'a time such as 2026-11-21T03:00:00Z' })
  .refine((text) => text >= '1970' && text < '2200', 'a time between 1970 and 2200')
  .describe('ISO 8601');

export const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a digest is 64 hexadecimal digits');

export const anchor = z
  .string()
  .regex(/^[1-9]\d{0,14}:[0-9a-f]{64}$/, 'an anchor is the number of rows, a colon and 64 hexadecimal digits')
  .describe('What an earlier answer said, kept elsewhere: a record that was cut off or rewritten since is bad');

/** A whole number as text, of queries and headers. Digits alone: `Number` also takes nothing at all, `0x10` and `1e3`. */
export function whole(min: number, max: number): z.ZodPipe<z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>, z.ZodNumber> {
  const what = `a whole number from ${min} to ${max}`;
  // The document tells what is meant by the text.
  const digits = z
    .string()
    .refine((text) => /^\d{1,16}$/.test(text), what)
    .meta({ type: 'integer', minimum: min, maximum: max });
  return digits.transform(Number).pipe(z.number().min(min, what).max(max, what));
}

export const reason = z.string().max(2_000).trim().min(1);
