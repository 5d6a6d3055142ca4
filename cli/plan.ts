import type { Command } from 'commander';
import type { PreviewAnswer } from '../api/plan-answers.ts';
import { isBlocked } from '../domain/finding.ts';
import { summaryOf } from '../domain/plan-summary.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { collect } from './input.ts';
import type { World } from './world.ts';

interface PlanOptions extends ClientOptions {
  input?: string[];
  inputFile?: string;
  json?: true;
  offline?: true;
}

export function planCommand(world: World): Command {
  return clientCommand(
    'plan',
    'Print what would block a run, and what it would do, step by step; looks only, changes nothing; exit code 1 when something blocks',
  )
    .argument('<runbook>', 'such as migration-cutover')
    .argument('<database>', 'as the inventory calls it')
    .option('-i, --input <key=value>', 'a field of the input; may be given several times', collect)
    .option('--input-file <file>', 'the input as JSON or YAML; - for stdin')
    .option('--json', 'as JSON: blocked, summary, findings, plan')
    .option('--offline', 'host command: make the plan here, without API and Temporal')
    .action(async (runbook: string, database: string, options: PlanOptions) => {
      const { readInput } = await import('./input.ts');
      const asked = { runbook, database, input: readInput(options) };
      const preview = options.offline === true ? await planHere(world, asked) : await planThere(world, options, asked);
      const { planText } = await import('./plan-text.ts');
      const shown = { findings: preview.findings, columns: world.tty ? world.size().columns : undefined };
      world.out(options.json === true ? `${JSON.stringify(preview, null, 2)}\n` : planText(preview.plan, shown));
      if (preview.blocked) world.bad();
    });
}

interface Asked {
  readonly runbook: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
}

async function planThere(world: World, options: PlanOptions, asked: Asked): Promise<PreviewAnswer> {
  const { apiClient } = await import('./client.ts');
  const { previewSchema } = await import('../api/plan-answers.ts');
  return await apiClient(world, options).post('/v1/plans', asked, previewSchema);
}

/** For the night when everything else is down: what to do by hand. */
async function planHere(world: World, asked: Asked): Promise<PreviewAnswer> {
  const { readConfig } = await import('../worker/config.ts');
  const { createDependencies } = await import('../worker/dependencies.ts');
  const dependencies = createDependencies(readConfig(world.environment), {
    name: 'steadyhand plan --offline',
    environment: world.environment,
    withControl: false,
  });
  try {
    const { plan, findings } = await dependencies.preview(asked);
    return { blocked: isBlocked(findings), summary: summaryOf(plan), findings, plan };
  } finally {
    await dependencies.close();
  }
}
