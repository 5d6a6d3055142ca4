import { Client, Connection } from '@temporalio/client';
import { createAws } from '../../../activities/aws/aws.ts';
import { createRdsProvider } from '../../../activities/providers/rds/create-rds-provider.ts';
import { isOpen } from '../../../temporal/runs.ts';
import { readConfig } from '../../../worker/config.ts';
import { createDependencies, type Dependencies } from '../../../worker/dependencies.ts';
import { wire } from '../../../worker/wiring.ts';
import type { Faults } from '../faults.ts';
import type { ProcessOf } from '../stage.ts';

export interface RdsActivitiesMade {
  readonly activities: ReturnType<typeof wire>;
  readonly dependencies: Dependencies;
  readonly client: Client;
  close(): Promise<void>;
}

/** What is made takes some seconds here. The grace is for what is not seen yet; nothing hides anything here for longer. */
const pace = { lookAgainMs: 400, graceMs: 1_500 };

/** The product's own wiring, but that the provider looks more often; of a worker in the tests' process or in one of its own. */
export async function rdsActivities({
  environment,
  address,
  faults,
}: Pick<ProcessOf, 'environment' | 'address'> & { readonly faults: Faults }): Promise<RdsActivitiesMade> {
  const dependencies = createDependencies(readConfig(environment), { name: 'harness', environment });
  const { servers } = dependencies;
  const providers = { ...dependencies.providers, rds: createRdsProvider(servers, createAws(), pace) };
  const client = new Client({ connection: await Connection.connect({ address }) });
  const control = faults.through(dependencies.control);
  return {
    ...{ dependencies, client },
    activities: wire({ ...dependencies, providers, control }, async (run) => await isOpen(client, run)),
    close: async () => {
      await Promise.all([dependencies.close(), client.connection.close()]);
    },
  };
}
