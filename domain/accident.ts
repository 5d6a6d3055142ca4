import { z } from 'zod';

const table = z.strictObject({ schema: z.string().min(1).max(63).default('public'), name: z.string().min(1).max(63) });

const kinds = ['dropped', 'truncated', 'deleted'] as const;

/** What happened to a table, as people write it: `{ "dropped": { "name": "parcels" } }`. */
export const accidentSchema = z
  .strictObject({
    dropped: table.optional().describe('It was dropped, or its schema was'),
    truncated: table.optional().describe('It was emptied by TRUNCATE'),
    deleted: table.optional().describe('Rows were deleted from it'),
    about: z.string().max(40).optional().describe('Roughly when, with a time zone: an hour around it is searched, else the last day'),
  })
  .refine((given) => kinds.filter((kind) => given[kind] !== undefined).length === 1, {
    message: `say one of ${kinds.join(', ')}, with the table`,
  });

/** What happened to a table. */
export interface Accident {
  readonly what: (typeof kinds)[number];
  readonly table: { readonly schema: string; readonly name: string };
  /** ISO 8601 with a zone. */
  readonly about?: string;
}

/** The input is the parsed one: it names one table. */
export function accidentOf({ about, ...given }: z.infer<typeof accidentSchema>): Accident {
  const what = kinds.find((kind) => given[kind] !== undefined);
  const named = what && given[what];
  if (!named) throw new Error('the schema lets nothing pass that names no table');
  return { what, table: named, ...(about === undefined ? {} : { about }) };
}
