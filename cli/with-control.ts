import { userInfo } from 'node:os';
import type { Actor, Control } from '../control/contract.ts';
import type { Config } from '../worker/config.ts';
import type { World } from './world.ts';

/** Does host work on the control database with the service's configuration, and closes the connections. */
export async function withControl<Result>(
  world: World,
  name: string,
  work: (control: Control, config: Config) => Promise<Result>,
): Promise<Result> {
  const { readConfig } = await import('../worker/config.ts');
  const { createControl } = await import('../control/control.ts');
  const config = readConfig(world.environment);
  const control = createControl({ ...config.control, applicationName: `steadyhand ${name}`, max: 1 });
  try {
    return await work(control, config);
  } finally {
    await control.close();
  }
}

/** Who is at this machine's command line, by the operating system's account. */
export function hostActor(): Actor {
  return { kind: 'person', name: userInfo().username, channel: 'host' };
}
