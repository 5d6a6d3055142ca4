import type { Command } from 'commander';
import { Failure } from '../domain/failure.ts';
import { hostCommand } from './client-command.ts';
import type { World } from './world.ts';

export function migrateCommand(world: World): Command {
  return hostCommand('migrate', 'Bring the control database to this version; needs STEADYHAND_CONTROL_OWNER_URL').action(async () => {
    const { readConfig } = await import('../worker/config.ts');
    const { migrate } = await import('../control/migrate.ts');
    const config = readConfig(world.environment);
    if (config.controlOwner === null)
      throw new Failure('configuration-invalid', 'STEADYHAND_CONTROL_OWNER_URL is not set: migrations are made by the owner of the schema');
    const application = roleOf(config.control.connectionString);
    const { applied } = await migrate({ ...config.controlOwner, ...(application === '' ? {} : { application }) });
    world.out(applied.length === 0 ? 'nothing to do: the control database is at this version\n' : `applied: ${applied.join(', ')}\n`);
  });
}

/** The role that API and workers log in with: it gets its rights here. */
function roleOf(connectionString: string): string {
  const url = new URL(connectionString);
  return decodeURIComponent(url.username) || (url.searchParams.get('user') ?? '');
}
