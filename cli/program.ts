import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { Failure } from '../domain/failure.ts';
import { apiCommand } from './api.ts';
import { approveCommand } from './approve.ts';
import { auditCommand } from './audit.ts';
import { breakGlassCommand, reviewCommand } from './break-glass.ts';
import { cancelCommand } from './cancel.ts';
import { decideCommand } from './decide.ts';
import { freezeCommand } from './freeze.ts';
import { janitorCommand } from './janitor.ts';
import { leaseCommand } from './lease.ts';
import { migrateCommand } from './migrate.ts';
import { planCommand } from './plan.ts';
import { proofsCommand } from './proofs.ts';
import { rejectCommand } from './reject.ts';
import { runsCommand } from './runs.ts';
import { showCommand } from './show.ts';
import { startCommand } from './start.ts';
import { tokenCommand } from './token.ts';
import { watchCommand } from './watch.ts';
import { withdrawCommand } from './withdraw.ts';
import { workerCommand } from './worker.ts';
import { UsageError, type World } from './world.ts';

const groups = {
  'Ask and follow:': [planCommand, startCommand, runsCommand, showCommand, watchCommand],
  'Decide:': [approveCommand, rejectCommand, withdrawCommand, decideCommand, cancelCommand, breakGlassCommand, reviewCommand],
  'Look after:': [freezeCommand, leaseCommand, janitorCommand, proofsCommand, auditCommand, tokenCommand],
  'Serve:': [workerCommand, apiCommand, migrateCommand],
} as const;

/** The `steadyhand` command. `more` are the commands that bring a world of their own: sandbox and demo. */
export function createProgram(world: World, more: readonly Command[]): Command {
  const program = new Command('steadyhand').description(manifest.description).version(manifest.version);
  for (const [heading, makers] of Object.entries(groups)) {
    for (const make of makers) program.addCommand(make(world).helpGroup(heading));
  }
  for (const command of more) program.addCommand(command.helpGroup('Try:'));
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({ writeOut: (text) => world.out(text), writeErr: (text) => world.err(text) });
    command.showHelpAfterError(`\`${nameOf(command)} --help\` says what it takes.`);
  }
  return program;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap((inner) => everyCommand(inner))];
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Runs the command and returns the exit code: 0, 1 when it failed (said on stderr), 2 when the command line is wrong. */
export async function runProgram(program: Command, argv: readonly string[], world: World): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError) {
      world.err(`steadyhand: ${error.message}\n`);
      return 2;
    }
    const { failureText } = await import('./print-failure.ts');
    const failure =
      error instanceof Failure ? error : new Failure('internal', error instanceof Error ? (error.stack ?? error.message) : String(error));
    const { wrapped } = await import('./fit.ts');
    world.err(wrapped(world, failureText(failure).split('\n')).join('\n'));
    return 1;
  }
}
