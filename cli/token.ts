import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { TokenRow } from '../control/contract.ts';
import { parseDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { everyScope, type Scope } from '../domain/token.ts';
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
    .addCommand(rotateCommand(world))
    .addCommand(revokeCommand(world));
}

interface CreateOptions {
  person: string;
  service?: true;
  scope?: Scope[];
  note?: string;
  expires?: string;
}

function createCommand(world: World): Command {
  return hostCommand('create', 'Make a token for a person or a service; it is printed once and stored as a hash')
    .requiredOption('--person <name>', 'whose it is, as the inventory calls them; of a service too')
    .option('--service', 'a program uses it: it answers questions only where the policy says `servicesAnswer: true`')
    .addOption(new Option('--scope <name...>', 'what it may be used for (default: everything; a service needs them)').choices(everyScope))
    .option('--note <text>', 'what it is for')
    .option('--expires <duration>', 'such as 12h or 90d (default: never)')
    .action(async ({ person, service, scope, note, expires }: CreateOptions) => {
      if (service === true && scope === undefined)
        throw new UsageError(`a service's token needs --scope with what it may do: ${everyScope.join(', ')}`);
      const expiry = expiryOf(expires);
      const { token, row } = await withControl(world, 'token create', async (control, config) => {
        await requireKnown(config.inventoryFile, person);
        return await control.tokens.create({
          person,
          kind: service === true ? 'service' : 'person',
          actor: hostActor(),
          ...(scope === undefined ? {} : { scopes: [...new Set(scope)] }),
          ...(note === undefined ? {} : { note }),
          ...expiry,
        });
      });
      world.out(`${token}\n`);
      world.err(`Token ${row.id} of ${row.person}, ${lifeText(row)}. It is not shown again.\n`);
    });
}

function rotateCommand(world: World): Command {
  return hostCommand('rotate', 'Give a token a new secret; the old one is valid for a while')
    .argument('<id>', 'as `token list` shows it')
    .option('--overlap <duration>', 'how long earlier secrets stay valid; 0s ends them at once', '24h')
    .option('--expires <duration>', 'a new expiry from now on (default: as it was)')
    .action(async (id: string, { overlap, expires }: { overlap: string; expires?: string }) => {
      const overlapMs = durationOf('--overlap', overlap);
      const expiry = expiryOf(expires);
      const { token, row } = await withControl(world, 'token rotate', (control) =>
        control.tokens.rotate(id, { overlapMs, actor: hostActor(), ...expiry }),
      );
      world.out(`${token}\n`);
      const old = row.oldSecretUntil === null ? 'The old secret has ended' : `The old secret is valid until ${row.oldSecretUntil}`;
      world.err(`Token ${row.id} of ${row.person}, ${lifeText(row)}. ${old}. The new one is not shown again.\n`);
    });
}

const longest = '3650d';

/** Throws `UsageError` for what is no duration, or a longer one than anybody means. */
function durationOf(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms <= (parseDuration(longest) ?? 0)) return ms;
  throw new UsageError(`${option} takes a duration such as 12h or 90d, at most ${longest}, not "${text}"`);
}

function expiryOf(text: string | undefined): { expiresInMs?: number } {
  if (text === undefined) return {};
  const expiresInMs = durationOf('--expires', text);
  if (expiresInMs === 0) throw new UsageError('--expires 0 would make a token that nobody can use');
  return { expiresInMs };
}

function lifeText({ expiresAt }: TokenRow): string {
  return expiresAt === null ? 'which does not expire' : `until ${expiresAt}`;
}

async function requireKnown(file: string, person: string): Promise<void> {
  const { parseInventory, personOf } = await import('../domain/inventory.ts');
  const inventory = parseInventory(readInventory(file), file);
  if (personOf(inventory, person) !== undefined) return;
  const people = inventory.people.map((one) => one.name);
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

const head = ['TOKEN', 'OF', 'KIND', 'SCOPES', 'MADE', 'LAST USED', 'ENDS', 'NOTE'];

function listCommand(world: World): Command {
  return hostCommand('list', 'List tokens, without their secrets').action(async () => {
    const tokens = await withControl(world, 'token list', (control) => control.tokens.list());
    const rows = tokens.map((row) => [
      row.id,
      line(row.person),
      row.kind,
      row.scopes.length === everyScope.length ? 'all' : row.scopes.join(','),
      row.createdAt.slice(0, 10),
      row.lastUsedAt === null ? 'never' : `${row.lastUsedAt.slice(0, 16)}Z`,
      endText(row),
      line(row.note ?? ''),
    ]);
    world.out(rows.length === 0 ? 'no tokens\n' : `${columns(world, [head, ...rows]).join('\n')}\n`);
  });
}

function endText({ revokedAt, expiresAt, oldSecretUntil }: TokenRow): string {
  if (revokedAt !== null) return `revoked ${revokedAt.slice(0, 10)}`;
  const end = expiresAt === null ? 'never' : expiresAt.slice(0, 10);
  return oldSecretUntil === null ? end : `${end}, old secret ${oldSecretUntil.slice(0, 16)}Z`;
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
