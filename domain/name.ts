import { z } from 'zod';

/** What databases, people, groups and policies are called. */
export const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name is lower-case letters, digits and dashes, at most 63');
