import { Client, Connection } from '@temporalio/client';
import { ulid } from 'ulid';
import { inject } from 'vitest';
import { isOpen } from '../../../temporal/runs.ts';
import { readConfig } from '../../../worker/config.ts';
import { createDependencies } from '../../../worker/dependencies.ts';
import { wire } from '../../../worker/wiring.ts';
import { migrationCutover } from '../../../workflows/migration-cutover/plan.ts';
import { pooled } from '../../support/pooled.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { createFaults } from '../faults.ts';
import type { Stage, Subject } from '../stage.ts';
import { startWorker } from '../worker.ts';
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

/** The product's own wiring, in this process. */
async function stage(): Promise<Stage> {
  const taskQueue = `cutover-${ulid()}`;
  const servers = await startCutoverServers(taskQueue);
  const { environment } = servers;
  const dependencies = createDependencies(readConfig(environment), { name: 'harness', environment });
  const { control, inventory } = dependencies;
  const address = inject('temporalAddress');
  const client = new Client({ connection: await Connection.connect({ address }) });
  const faults = createFaults();
  const activities = wire({ ...dependencies, control: faults.through(control) }, (run) => isOpen(client, run));
  const stopWorker = await startWorker({ address, taskQueue, faults, activities });
  return {
    ...{ control, client, taskQueue, faults, inventory },
    world: async () => await newCutoverWorld(servers),
    end: async () => {
      await stopWorker();
      await dependencies.close();
      await client.connection.close();
      await servers.stop();
    },
  };
}
