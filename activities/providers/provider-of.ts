import type { DatabaseEntry } from '../../domain/inventory.ts';
import { Failure } from '../../domain/failure.ts';
import type { LookAtProvider } from '../../domain/require-provider.ts';
import type { Aws } from '../aws/aws.ts';
import type { Servers } from '../postgres/session.ts';
import type { Provider } from './provider.ts';
import { createRdsProvider, paceOfAws } from './rds/create-rds-provider.ts';
import { createStreamingProvider } from './streaming/create-streaming-provider.ts';

/** Every way to run a server, by the inventory's name for it. */
export type Providers = Readonly<Record<DatabaseEntry['provider'], Provider>>;

/** Connects to nothing. `awsLookMs`: milliseconds between two looks at what AWS has been asked for; 10 s when absent. */
export function createProviders(servers: Servers, aws: Aws, awsLookMs?: number): Providers {
  return {
    streaming: createStreamingProvider(servers),
    rds: createRdsProvider(servers, aws, { ...paceOfAws, ...(awsLookMs === undefined ? {} : { lookAgainMs: awsLookMs }) }),
  };
}

/** The groups of verbs that a provider may lack. */
export type Capability = Exclude<keyof Provider, 'name' | 'ownRoles' | 'describe'>;

/** A group of a provider's verbs. Raises `plan-impossible`, naming provider and group, when the provider has none. */
export function capable<Group extends Capability>(provider: Provider, group: Group, database: string): NonNullable<Provider[Group]> {
  const verbs = provider[group];
  if (verbs) return verbs;
  throw new Failure('plan-impossible', `${database} is run by the provider ${provider.name}, which has no ${group}`, { database, group });
}

/** Which of these groups the database's provider lacks. Connects to nothing. */
export function lookAtProvider(providers: Providers, entry: (database: string) => DatabaseEntry): LookAtProvider {
  const has = (provider: Provider, group: string): boolean =>
    Object.entries(provider).some(([name, verbs]) => name === group && verbs !== undefined);
  return (database, groups) => {
    const provider = providers[entry(database).provider];
    return {
      provider: provider.name,
      lacks: groups.filter((group) => !has(provider, group)),
      able: Object.values(providers).flatMap((one) => (groups.every((group) => has(one, group)) ? [one.name] : [])),
    };
  };
}
