import { ulid } from 'ulid';
import { inject } from 'vitest';
import { migrationCutover } from '../../../workflows/migration-cutover/plan.ts';
import { pooled } from '../../support/pooled.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { createFaults } from '../faults.ts';
import type { Stage, Subject } from '../stage.ts';
import { startWorker } from '../worker.ts';
import { cutoverActivities } from './activities.ts';
import { startCutoverServers } from './servers.ts';
import { newCutoverWorld } from './world.ts';

/** A database moves between two real servers, through a real pooler where there is one. */
export const cutoverSubject: Subject = {
  runbook: migrationCutover,
  absent: [...(postgres15 ? [] : ['copy-schema']), ...(pooled ? [] : ['try-alias'])],
  noUndo: ['analyze'],
  remade: ['analyze', 'switch', 'retire'],
  people: { asks: 'ada', agree: ['grace', 'linus'], operates: 'grace' },
  stage,
};

async function stage(address = inject('temporalAddress')): Promise<Stage> {
  const taskQueue = `cutover-${ulid()}`;
  const bundle = inject('workflowBundle');
  const servers = await startCutoverServers({ taskQueue, address });
  const { environment } = servers;
  const faults = createFaults();
  const { activities, dependencies, client, close } = await cutoverActivities({ environment, address, faults });
  const { control, inventory } = dependencies;
  const worker: Stage['worker'] = async (queue) => await startWorker({ address, taskQueue: queue, bundle, faults, activities });
  const stopWorker = await worker(taskQueue);
  return {
    ...{ control, client, taskQueue, faults, inventory, worker },
    processOf: { subject: 'cutover', environment, address, bundle },
    world: async () => await newCutoverWorld(servers),
    end: async () => {
      await stopWorker();
      await close();
      await servers.stop();
    },
  };
}
