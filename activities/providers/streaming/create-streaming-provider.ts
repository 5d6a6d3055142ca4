import type { Servers } from '../../postgres/session.ts';
import { describe } from '../describe.ts';
import type { Provider } from '../provider.ts';

/** PostgreSQL that its owners run themselves, with streaming replication: everything is asked by SQL. */
export function createStreamingProvider(servers: Servers): Provider {
  return { name: 'streaming', describe: async (database) => await describe(servers, database) };
}
