import { z } from 'zod';

const sql = z.string().min(1).max(4_000);

/** What the owners of a database ask of a restored copy of it before anybody may use it. */
export const verificationSchema = z.strictObject({
  /** Each a query of one row with one column, which must be true. */
  assertions: z
    .array(z.strictObject({ name: z.string().min(1).max(100), sql }))
    .max(50)
    .default([]),
  /** The column that tells when a row of a busy table was written. */
  newestRow: z
    .strictObject({
      schema: z.string().min(1).max(63).default('public'),
      table: z.string().min(1).max(63),
      column: z.string().min(1).max(63),
    })
    .optional(),
  /** A query of one row with one column: the version of the application's schema. */
  schemaVersion: sql.optional(),
});

export type VerificationRules = z.infer<typeof verificationSchema>;
