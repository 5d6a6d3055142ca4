import { Argument, type Command } from 'commander';
import { parkedChoices, type ParkedChoice } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { questionOf, runPath } from './run-of.ts';
import { sendDecision } from './send-decision.ts';
import { UsageError, type World } from './world.ts';

export function decideCommand(world: World): Command {
  return clientCommand('decide', 'Say how a parked run goes on after a step failed')
    .argument('<run>', 'ULID')
    .addArgument(new Argument('<choice>', 'what to do').choices(parkedChoices))
    .option('--reason <text>', 'why; needed for all but retry and start-again')
    .option('--step <id>', 'which failed step, when several are open')
    .action(async (run: string, choice: ParkedChoice, options: ClientOptions & { reason?: string; step?: string }) => {
      const { apiClient } = await import('./client.ts');
      const { runDetailSchema } = await import('../api/answers.ts');
      const { needsReason } = await import('./question-lines.ts');
      const client = apiClient(world, options);
      const path = runPath(run);
      const question = questionOf(await client.get(path, runDetailSchema), 'parked', options.step);
      if (!question.choices.includes(choice)) {
        throw new Failure('conflict', `"${choice}" is not possible for ${question.approval}; possible are: ${question.choices.join(', ')}`);
      }
      if (needsReason(choice) && (options.reason ?? '').trim() === '')
        throw new UsageError(`${choice} needs --reason '…'; it is recorded and shown`);
      await sendDecision(world, client, path, question, choice, options.reason);
    });
}
