import { InvalidArgumentError, type Command } from 'commander';
import type { z } from 'zod';
import type { acceptedSchema } from '../api/answers.ts';
import { parseDuration } from '../domain/duration.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { collect } from './input.ts';
import { line } from './plain.ts';
import type { World } from './world.ts';

interface StartOptions extends ClientOptions {
  input?: string[];
  inputFile?: string;
  key?: string;
  ticket?: string;
  breakGlass?: string;
  wait?: true | string;
  watch?: true;
  json?: true;
}

export function startCommand(world: World): Command {
  return clientCommand('start', 'Ask for a run')
    .argument('<runbook>', 'such as migration-cutover')
    .argument('<database>', 'as the inventory calls it')
    .option('-i, --input <key=value>', 'a field of the input; may be given several times', collect)
    .option('--input-file <file>', 'the input as JSON or YAML; - for stdin')
    .option('--ticket <id>', 'the ticket that it belongs to')
    .option('--key <text>', 'Idempotency-Key: the same key and request find the same run (default: a new one, printed)')
    .option(
      '--wait [duration]',
      'stand in line for the lease while another run holds it: --wait=2h, for a day when none is named',
      duration,
    )
    .option('--break-glass <reason>', 'an emergency: freezes and the approvals’ quorum do not stop it; it is told loudly, and reviewed')
    .option('--watch', 'stay and watch it')
    .option('--json', 'the answer as JSON')
    .action(async (runbook: string, database: string, options: StartOptions) => {
      const { readInput } = await import('./input.ts');
      const { apiClient } = await import('./client.ts');
      const { acceptedSchema } = await import('../api/answers.ts');
      const input = readInput(options);
      const key = await keyOf(world, options);
      const { ticket, wait, breakGlass } = options;
      // What was not given is not sent: JSON has no undefined.
      const body = { runbook, database, input, ticket, wait, breakGlass };
      const accepted = await apiClient(world, options).post('/v1/runs', body, acceptedSchema, { 'Idempotency-Key': key });
      if (options.json === true) world.out(`${JSON.stringify(accepted, null, 2)}\n`);
      else world.out(`${accepted.id}  ${accepted.run}  ${accepted.created ? accepted.state : `asked for before, now ${accepted.state}`}\n`);
      for (const note of acceptedNotes(accepted)) world.err(`${note}\n`);
      if (options.watch !== true) {
        world.err(`Watch it: steadyhand watch ${accepted.id}\n`);
        return;
      }
      const { watchRun } = await import('./watch.ts');
      await watchRun(world, options, accepted.id);
    });
}

/** What a person should know before they turn away. */
function acceptedNotes({ id, delayed, others }: z.infer<typeof acceptedSchema>): string[] {
  const open = others.map(({ run, state, holds }) => `  ${run}  ${state}${holds ? ', holds the lease' : ''}`);
  return [
    ...(delayed === null ? [] : [`It has not started yet: ${line(delayed)}`, `  It is tried again every 2 s: steadyhand show ${id}`]),
    ...(open.length === 0 ? [] : ['Also open on this database:', ...open]),
  ];
}

/** Said here already: `--wait orders` would take the database's name for one. */
function duration(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError('a time such as 2h is needed, after `=`: --wait=2h.');
  return text;
}

/** Printed before anything is sent: whoever gets no answer can ask again with the same key. */
async function keyOf(world: World, options: StartOptions): Promise<string> {
  if (options.key !== undefined) return options.key;
  const { ulid } = await import('ulid');
  const key = ulid();
  world.err(`Idempotency-Key ${key} (with --key it finds this run again)\n`);
  return key;
}
