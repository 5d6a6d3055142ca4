import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createControl } from '../../control/control.ts';
import type { Control } from '../../control/contract.ts';
import { withSuperuser } from '../../sandbox/application/application.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { freePorts } from '../../sandbox/free-ports.ts';
import { layoutOf } from '../../sandbox/layout.ts';
import { startCluster } from '../../sandbox/postgres.ts';
import { startService } from '../../sandbox/service.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import type { BenchOptions } from '../frame/bench.ts';
import { controlDatabase } from '../frame/control-database.ts';
import { openScratch } from '../frame/scratch.ts';
import { makeManyEvents } from './many-events.ts';
import { makeManyRuns, type ManyRuns } from './many-runs.ts';
import { startWorkflows } from './start-workflows.ts';

/** A control database full of open runs and events, and the API as a process of its own. */
export interface Place {
  readonly control: Control;
  readonly client: Client;
  /** The path of the `temporal` command. */
  readonly temporal: string;
  /** Oldest first. */
  readonly runs: readonly string[];
  /** How long the API takes to answer, in milliseconds, with the body read. Throws when it is no success. */
  get(path: string): Promise<number>;
  stop(): Promise<void>;
}

const taskQueue = 'bench';
const inventory = `
version: 1
people: [{ name: ada, groups: [dba] }]
policies: { default: { requesters: [dba], operators: [dba], approvals: { low: auto, medium: auto, high: auto } } }
databases:
  orders: { provider: streaming, owners: dba, server: { host: localhost, dbname: orders, user: steadyhand } }
`;

export async function openPlace(
  { log, signal }: Pick<BenchOptions, 'log' | 'signal'>,
  size: { readonly runs: ManyRuns; readonly events: number },
): Promise<Place> {
  const { directory, endings, stop } = await openScratch(signal);
  try {
    const cluster = await startCluster({ name: 'control', major: 18, directory: join(directory, 'control') });
    endings.push(() => cluster.stop());
    const url = await controlDatabase(cluster);
    const control = createControl({ connectionString: url, applicationName: 'steadyhand bench' });
    endings.push(() => control.close());
    const files = {
      directory: join(directory, 'temporal'),
      logFile: join(directory, 'temporal.log'),
      pidFile: join(directory, 'temporal.json'),
    };
    const temporal = await startTemporal({ configuration: sandboxConfiguration(), ...files, log });
    endings.push(() => temporal.stop());
    const client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
    endings.push(() => client.connection.close());
    const runs = await withSuperuser(cluster, 'steadyhand', async (superuser) => {
      const made = await makeManyRuns(superuser, size.runs);
      await makeManyEvents(superuser, size.events);
      return made;
    });
    log(`made ${runs.length} runs and ${size.events} events`);
    await startWorkflows(client, taskQueue, runs);
    log('started their workflows');
    const { token } = await control.tokens.create({ person: 'ada', actor: { kind: 'person', name: 'bench', channel: 'host' } });
    const address = await startApi({ directory, control: url, temporal: temporal.address, log }, endings);
    const headers = { authorization: `Bearer ${token}` };
    const get: Place['get'] = async (path) => {
      const began = performance.now();
      const answer = await fetch(`${address}${path}`, { headers });
      const body = await answer.text();
      if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${body.slice(0, 500)}`);
      return performance.now() - began;
    };
    return { control, client, temporal: temporal.program, runs, get, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startApi(
  from: { directory: string; control: string; temporal: string; log: (line: string) => void },
  endings: (() => Promise<unknown>)[],
): Promise<string> {
  const layout = layoutOf(from.directory);
  await mkdir(layout.logs, { recursive: true });
  await writeFile(layout.inventory, inventory);
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    ...sandboxConfiguration().environment,
    STEADYHAND_INVENTORY: layout.inventory,
    STEADYHAND_CONTROL_URL: from.control,
    STEADYHAND_API_URL: url,
    STEADYHAND_API_PORT: String(port),
    STEADYHAND_API_RATE: '10000',
    STEADYHAND_TASK_QUEUE: taskQueue,
    TEMPORAL_ADDRESS: from.temporal,
  };
  const service = await startService({ layout, command: 'api', name: 'api', environment, log: from.log });
  endings.push(() => service.stop());
  return url;
}
