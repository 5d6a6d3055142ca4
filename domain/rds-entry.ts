import { z } from 'zod';

/** Where an instance of RDS stands and how it is restored, in the inventory. */

const identifier = z
  .string()
  .regex(
    /^[a-z](?!.*--)[a-z0-9-]{0,62}$(?<!-)/,
    'an instance is called by lower-case letters, digits and single dashes, at most 63, a letter first',
  );

export const region = z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, 'a region is called like eu-central-1');

const group = z.string().min(1).max(255);

/** What makes that a restored instance acts on nothing and nobody reaches it. */
const quarantine = z.strictObject({
  /** With `max_logical_replication_workers = 0`, and no pg_cron in `shared_preload_libraries`. */
  parameterGroup: group,
  /** Without a way out. */
  securityGroups: z.array(group).min(1),
  /** Default the source's, in the other region the kit's. */
  subnetGroup: group.optional(),
});

/** What must stand ready in the other region, or a copied snapshot is of no use there. */
const otherRegion = z.strictObject({
  region,
  /** A key of that region, by its id, ARN or alias; needed when the source is encrypted. */
  key: z.string().min(1).optional(),
  parameterGroup: group,
  subnetGroup: group,
  securityGroups: z.array(group).min(1),
  quarantine,
});

export const rdsEntry = z
  .strictObject({ instance: identifier, region, quarantine: quarantine.optional(), dr: otherRegion.optional() })
  .refine((entry) => entry.dr?.region !== entry.region, { path: ['dr', 'region'], message: 'the other region is another one' });

export type RdsEntry = z.infer<typeof rdsEntry>;
