import type { Servers } from '../postgres/session.ts';
import { createStreamingProvider } from './streaming/create-streaming-provider.ts';
import type { Provider } from './provider.ts';

/** The provider that runs a database of the inventory. Raises `not-found` for a database that the inventory lacks. */
export function providerOf(servers: Servers, database: string): Provider {
  const { provider } = servers.entry(database);
  switch (provider) {
    case 'streaming':
      return createStreamingProvider(servers);
  }
}
