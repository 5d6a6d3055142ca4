import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterEach, inject } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { createControl } from '../../control/control.ts';
import { freePorts } from '../../sandbox/free-ports.ts';
import { layoutOf, type Layout } from '../../sandbox/layout.ts';
import { startService, type Service } from '../../sandbox/service.ts';
import { application, controlPlace } from '../control/support.ts';
import { startTap, type Tap } from '../support/tap.ts';

const reachesNothing = '{ host: localhost, dbname: orders, user: steadyhand }';

const inventoryText = (orders: string): string => `
version: 1
people: [{ name: ada, groups: [dba] }]
policies: { default: { requesters: [dba], operators: [dba], approvals: { low: auto, medium: auto, high: auto } } }
databases:
  orders: { provider: streaming, owners: dba, server: ${orders} }
  orders-18: { provider: streaming, owners: dba, server: { host: localhost, port: 5433, dbname: orders, user: steadyhand } }
`;

export interface ApiProcess extends Service {
  readonly url: string;
}

export interface ApiProcesses {
  /** Of the database that all of them share, not by the tap. */
  readonly control: Control;
  /** On the way from an API to the control database; only of those that are started with `tapped`. */
  readonly tap: Tap;
  /** Of ada. */
  readonly token: string;
  /** A session on the control database with all rights; ended after the test. */
  superuser(): Promise<pg.Client>;
  /** Nobody works on it. */
  readonly taskQueue: string;
  start(options?: { tapped?: boolean; environment?: Readonly<Record<string, string>> }): Promise<ApiProcess>;
}

export interface ApiProcessOptions {
  /** Its inventory is the API's. */
  readonly layout: Layout;
  readonly name: string;
  readonly controlUrl: string;
  readonly taskQueue: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** `steadyhand api` as a process; the caller stops it. */
export async function startApiProcess({ layout, name, controlUrl, taskQueue, environment = {} }: ApiProcessOptions): Promise<ApiProcess> {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const service = await startService({
    layout,
    command: 'api',
    name,
    environment: {
      PATH: process.env['PATH'],
      STEADYHAND_INVENTORY: layout.inventory,
      STEADYHAND_CONTROL_URL: controlUrl,
      STEADYHAND_API_URL: url,
      STEADYHAND_API_PORT: String(port),
      STEADYHAND_TASK_QUEUE: taskQueue,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      ...environment,
    },
    log: () => undefined,
  });
  return { ...service, url };
}

/** Call it at the top of a test file: `steadyhand api` as real processes, all killed after the test. */
export function apiProcesses(): { begin(inventory?: { orders?: string }): Promise<ApiProcesses> } {
  const place = controlPlace();
  const endings: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  });
  return {
    begin: async ({ orders = reachesNothing } = {}) => {
      const directory = await mkdtemp(join(tmpdir(), 'steadyhand-api-'));
      endings.push(() => rm(directory, { recursive: true, force: true }));
      const layout = layoutOf(directory);
      await mkdir(layout.logs);
      await writeFile(layout.inventory, inventoryText(orders));
      const { database } = await place.fresh();
      const control = createControl({ connectionString: place.url(database, application), applicationName: 'api tests' });
      endings.push(() => control.close());
      const tap = await startTap({ host: '127.0.0.1', port: place.cluster().port });
      endings.push(() => tap.close());
      const { token } = await control.tokens.create({ person: 'ada', actor: { kind: 'person', name: 'root', channel: 'host' } });
      const taskQueue = `api-${database}`;
      let count = 0;
      return {
        control,
        tap,
        superuser: () => place.client(database),
        token,
        taskQueue,
        start: async ({ tapped = false, environment = {} } = {}) => {
          const address = new URL(place.url(database, application));
          if (tapped) address.port = String(tap.port);
          const service = await startApiProcess({
            ...{ layout, taskQueue, environment },
            name: `api-${(count += 1)}`,
            controlUrl: address.href,
          });
          endings.push(() => service.stop());
          return service;
        },
      };
    },
  };
}
