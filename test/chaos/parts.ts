import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { layoutOf } from '../../sandbox/layout.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { startService, type Service } from '../../sandbox/service.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';

/** Something that can die at any moment, and comes back. */
export interface Part {
  readonly name: string;
  /** SIGKILL, then a new one as soon as the old one is gone. Resolves when the new one is ready. */
  killAndStart(): Promise<void>;
}

export interface Parts {
  readonly all: readonly Part[];
  stop(): Promise<void>;
}

/** Temporal (the sandbox's own), an API and workers. */
export async function startParts(sandbox: Sandbox, workers: number): Promise<Parts> {
  const { code } = await bundleWorkflows();
  const bundle = join(sandbox.directory, 'workflows.js');
  await writeFile(bundle, code);
  const services = [
    await servicePart(sandbox, 'api', 'api'),
    ...(await Promise.all(
      Array.from({ length: workers }, (_, at) => servicePart(sandbox, 'worker', `worker-${at + 1}`, ['--bundle', bundle])),
    )),
  ];
  const temporal = temporalPart(sandbox);
  return {
    all: [...services, temporal],
    stop: async () => {
      await Promise.all(services.map(async (service) => await service.stop()));
      await temporal.stop();
    },
  };
}

type Stoppable = Part & { stop(): Promise<void> };

async function servicePart(sandbox: Sandbox, command: 'api' | 'worker', name: string, args: readonly string[] = []): Promise<Stoppable> {
  const start = async (): Promise<Service> =>
    await startService({
      ...{ layout: layoutOf(sandbox.directory), command, name, args, log: () => undefined },
      environment: { ...sandboxConfiguration().environment, ...sandbox.environment },
    });
  let now = await start();
  return {
    name,
    killAndStart: async () => {
      now.kill('SIGKILL');
      now = await again(start);
    },
    stop: async () => await now.stop(),
  };
}

function temporalPart(sandbox: Sandbox): Stoppable {
  const layout = layoutOf(sandbox.directory);
  const { address, ui } = sandbox.temporal;
  const ports = [Number(new URL(`http://${address}`).port), Number(new URL(ui).port)] as const;
  let now: { pid: number; stop(): Promise<void> } = sandbox.temporal;
  const start = async (): Promise<typeof now> =>
    await startTemporal({
      configuration: sandboxConfiguration(),
      directory: layout.part('temporal'),
      logFile: layout.logFile('temporal'),
      pidFile: layout.pidFile('temporal'),
      ports,
      log: () => undefined,
    });
  return {
    name: 'temporal',
    killAndStart: async () => {
      process.kill(now.pid, 'SIGKILL');
      now = await again(start);
    },
    stop: async () => await now.stop(),
  };
}

/** As a supervisor would: what does not come up, because something that it needs was killed, too, is started again. */
async function again<Started>(start: () => Promise<Started>): Promise<Started> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}
