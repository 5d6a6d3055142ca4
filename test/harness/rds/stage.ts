import { ulid } from 'ulid';
import { inject } from 'vitest';
import type { Control } from '../../../control/contract.ts';
import { createFaults } from '../faults.ts';
import type { Stage, World } from '../stage.ts';
import { startWorker } from '../worker.ts';
import { startAccount, type Account } from './account.ts';
import { rdsActivities } from './activities.ts';

/** The stand-in for AWS, a control database and a worker; `world` is the runbook's own. */
export async function rdsStage(
  world: (account: Account, control: Control) => Promise<World>,
  address = inject('temporalAddress'),
): Promise<Stage> {
  const taskQueue = `rds-${ulid()}`;
  const bundle = inject('workflowBundle');
  const account = await startAccount({ taskQueue, address });
  const { environment } = account;
  const faults = createFaults();
  const { activities, dependencies, client, close } = await rdsActivities({ environment, address, faults });
  const { control, inventory } = dependencies;
  const worker: Stage['worker'] = async (queue) => await startWorker({ address, taskQueue: queue, bundle, faults, activities });
  const stopWorker = await worker(taskQueue);
  return {
    ...{ control, client, taskQueue, faults, inventory, worker },
    processOf: { subject: 'rds', environment, address, bundle },
    world: async () => await world(account, control),
    end: async () => {
      await stopWorker();
      await close();
      await account.stop();
    },
  };
}
