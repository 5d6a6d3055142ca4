import type { Command } from 'commander';
import type { OpenQuestion } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import { sendBreakGlass } from './break-glass.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { line } from './plain.ts';
import { questionOf, runPath } from './run-of.ts';
import { sendDecision } from './send-decision.ts';
import { UsageError, type World } from './world.ts';

interface ApproveOptions extends ClientOptions {
  digest?: string;
  step?: string;
  breakGlass?: string;
  yes?: true;
}

export function approveCommand(world: World): Command {
  return clientCommand('approve', 'Agree to the plan that a run asks about')
    .argument('<run>', 'ULID')
    .option('--digest <hex>', 'agree only to this plan: its digest, or at least 12 digits of it')
    .option('--step <id>', 'which approval, when several are open')
    .option('--break-glass <reason>', 'an emergency: let the run pass freezes and the approvals’ quorum, and agree')
    .option('-y, --yes', 'do not ask back')
    .action(async (run: string, options: ApproveOptions) => {
      const { apiClient } = await import('./client.ts');
      const { runDetailSchema } = await import('../api/answers.ts');
      const { approvalLines } = await import('./question-lines.ts');
      const { readAsking } = await import('./asking.ts');
      const { wrapped } = await import('./fit.ts');
      if (options.digest !== undefined && !/^[0-9a-f]{12,64}$/.test(options.digest))
        throw new UsageError('--digest takes 12 to 64 hexadecimal digits');
      const client = apiClient(world, options);
      const path = runPath(run);
      const detail = await client.get(path, runDetailSchema);
      const question = questionOf(detail, 'approval', options.step);
      bind(question, options.digest);
      const shown = approvalLines(await readAsking(client)({ ...detail, questions: [question] }), question, world.now());
      world.out(`${wrapped(world, [`${detail.runbook} of ${detail.database}`, ...shown]).join('\n')}\n`);
      const title = detail.steps.find((one) => one.id === question.approval)?.title ?? `Agree to ${question.approval}`;
      if (!(await agreed(world, options, question, title))) {
        world.out('Nothing was sent.\n');
        world.bad();
        return;
      }
      if (options.breakGlass !== undefined) await sendBreakGlass(world, client, run, options.breakGlass);
      await sendDecision(world, client, path, question, 'approve', options.breakGlass);
    });
}

/** What was read must be what is asked now: another digest means that the plan has changed since. */
function bind(question: OpenQuestion, digest: string | undefined): void {
  if (digest === undefined || question.digest.startsWith(digest)) return;
  throw new Failure('conflict', `the run asks about another plan by now: ${question.digest}, not ${digest}`, { digest: question.digest });
}

/** Whoever named the digest has said what is agreed to; anybody else is asked, and where nobody can be asked, `--yes` says it. */
async function agreed(world: World, options: ApproveOptions, question: OpenQuestion, title: string): Promise<boolean> {
  if (options.yes === true) return true;
  if (world.tty) return await world.confirm(`${line(title)}, plan ${question.digest.slice(0, 12)}?`);
  if (options.digest !== undefined) return true;
  throw new UsageError('without a terminal to ask at, say which plan with --digest, or --yes for whatever is asked');
}
