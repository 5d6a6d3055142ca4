import type { Holds } from '../domain/plan.ts';

/** A snapshot of an instance in a single zone suspends its I/O while it begins. */
export const snapshotStall: Holds = { what: 'writes to an instance in a single zone' };
