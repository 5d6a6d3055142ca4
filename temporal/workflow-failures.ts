import { DefaultFailureConverter } from '@temporalio/common';
import { encodesFailures, EncodedFailures } from './encoded-failures.ts';

/**
 * Part of every workflow bundle. A bundle is built ahead, without configuration, so a worker that has payload keys says so in the
 * bundle's own world, before anything of it runs.
 */
export const failureConverter = Reflect.get(globalThis, encodesFailures) === true ? new EncodedFailures() : new DefaultFailureConverter();
