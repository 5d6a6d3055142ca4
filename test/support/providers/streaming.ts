import { createProviders } from '../../../activities/providers/provider-of.ts';
import { createAws } from '../../../activities/aws/aws.ts';
import { makeBench, startPair } from '../../activities/support.ts';
import type { ProviderWorld } from '../../contracts/provider.ts';

/** Two clusters of the sandbox's, the first one the database. */
export async function startStreaming(): Promise<ProviderWorld> {
  const pair = await startPair();
  const bench = await makeBench(pair);
  return {
    servers: bench.servers,
    provider: createProviders(bench.servers, createAws()).streaming,
    database: 'orders',
    major: 16,
    configure: (change) => bench.configure('source', change),
    stop: async () => {
      await bench.end();
      await pair.stop();
    },
  };
}
