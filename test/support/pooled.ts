import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { findPgBouncer } from '../../sandbox/pgbouncer.ts';

/** Whether PgBouncer is here. Where it is missing the same cases run over the fence, and those about PgBouncer itself are left out. */
export const pooled = findPgBouncer(sandboxConfiguration().path) !== undefined;
