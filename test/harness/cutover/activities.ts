import { Client, Connection } from '@temporalio/client';
import { isOpen } from '../../../temporal/runs.ts';
import { readConfig } from '../../../worker/config.ts';
import { createDependencies, type Dependencies } from '../../../worker/dependencies.ts';
import { wire } from '../../../worker/wiring.ts';
import type { Faults } from '../faults.ts';
import type { ProcessOf } from '../stage.ts';

export interface CutoverActivitiesMade {
  readonly activities: ReturnType<typeof wire>;
  readonly dependencies: Dependencies;
  readonly client: Client;
  close(): Promise<void>;
}

/** The product's own wiring; of a worker in the tests' process or in one of its own. */
export async function cutoverActivities({
  environment,
  address,
  faults,
}: Pick<ProcessOf, 'environment' | 'address'> & { readonly faults: Faults }): Promise<CutoverActivitiesMade> {
  const dependencies = createDependencies(readConfig(environment), { name: 'harness', environment });
  const client = new Client({ connection: await Connection.connect({ address }) });
  const control = faults.through(dependencies.control);
  return {
    ...{ dependencies, client },
    activities: wire({ ...dependencies, control }, async (run) => await isOpen(client, run)),
    close: async () => {
      await Promise.all([dependencies.close(), client.connection.close()]);
    },
  };
}
