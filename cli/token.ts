import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { parseDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { hostCommand } from './client-command.ts';
import { columns } from './columns.ts';
import { line } from './plain.ts';
import { hostActor, withControl } from './with-control.ts';
import { UsageError, type World } from './world.ts';

export function tokenCommand(world: World): Command {
  return new Command('token')
    .description('Bearer tokens for the API')
    .addCommand(createCommand(world))
    .addCommand(listCommand(world))
    .addCommand(revokeCommand(world));
}

function createCommand(world: World): Command {
  return hostCommand('create', 'Make a token for a person; it is printed once and stored as a hash')
    .requiredOption('--person <name>', 'as the inventory calls them')
    .option('--note <text>', 'what it is for')
    .option('--expires <duration>', 'such as 12h or 90d (default: never)')
    .action(async ({ person, note, expires }: { person: string; note?: string; expires?: string }) => {
      const expiresInMs = expires === undefined ? undefined : parseDuration(expires);
      if (expires !== undefined && !expiresInMs) throw new UsageError(`--expires takes a duration such as 12h or 90d, not "${expires}"`);
      const { token, row } = await withControl(world, 'token create', async (control, config) => {
        await requireKnown(config.inventoryFile, person);
        return await control.tokens.create({
          person,
          actor: hostActor(),
          ...(note === undefined ? {} : { note }),
          ...(expiresInMs === undefined ? {} : { expiresInMs }),
        });
      });
      world.out(`${token}\n`);
      world.err(
        `Token ${row.id} of ${row.person}, ${row.expiresAt === null ? 'which does not expire' : `until ${row.expiresAt}`}. It is not shown again.\n`,
      );
    });
}

async function requireKnown(file: string, person: string): Promise<void> {
  const { parseInventory } = await import('../domain/inventory.ts');
  const people = parseInventory(readInventory(file), file).people.map((one) => one.name);
  if (people.includes(person)) return;
  throw new Failure('not-found', `"${person}" is not among the people of the inventory; it has: ${people.join(', ')}`, { person });
}

function readInventory(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('configuration-invalid', `the inventory ${file} cannot be read (${why})`, { file }, error);
  }
}

function listCommand(world: World): Command {
  return hostCommand('list', 'List tokens, without their secrets').action(async () => {
    const tokens = await withControl(world, 'token list', (control) => control.tokens.list());
    const rows = tokens.map((row) => [
      row.id,
      line(row.person),
      `made ${row.createdAt.slice(0, 10)}`,
      row.revokedAt === null
        ? row.expiresAt === null
          ? 'does not expire'
          : `until ${row.expiresAt.slice(0, 10)}`
        : `revoked ${row.revokedAt.slice(0, 10)}`,
      line(row.note ?? ''),
    ]);
    world.out(rows.length === 0 ? 'no tokens\n' : `${columns(rows).join('\n')}\n`);
  });
}

function revokeCommand(world: World): Command {
  return hostCommand('revoke', 'End a token; it is refused from the next request on')
    .argument('<id>', 'as `token list` shows it')
    .action(async (id: string) => {
      await withControl(world, 'token revoke', async (control) => {
        if (!(await control.tokens.list()).some((row) => row.id === id))
          throw new UsageError(`there is no token "${id}"; \`steadyhand token list\` shows their ids`);
        await control.tokens.revoke(id, hostActor());
      });
      world.out(`revoked ${id}\n`);
    });
}
