import type { Command } from 'commander';
import type { Plan } from '../domain/plan.ts';
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
  return clientCommand('plan', 'Print what a run would do, step by step; looks only, changes nothing')
    .argument('<runbook>', 'such as migration-cutover')
    .argument('<database>', 'as the inventory calls it')
    .option('-i, --input <key=value>', 'a field of the input; may be given several times', collect)
    .option('--input-file <file>', 'the input as JSON or YAML; - for stdin')
    .option('--json', 'the plan as JSON')
    .option('--offline', 'host command: make the plan here, without API and Temporal')
    .action(async (runbook: string, database: string, options: PlanOptions) => {
      const { readInput } = await import('./input.ts');
      const asked = { runbook, database, input: readInput(options) };
      const plan = options.offline === true ? await planHere(world, asked) : await planThere(world, options, asked);
      const { planText } = await import('./plan-text.ts');
      world.out(options.json === true ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
    });
}

interface Asked {
  readonly runbook: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
}

async function planThere(world: World, options: PlanOptions, asked: Asked): Promise<Plan> {
  const { apiClient } = await import('./client.ts');
  const { planSchema } = await import('../api/answers.ts');
  return await apiClient(world, options).post('/v1/plans', asked, planSchema);
}

/** For the night when everything else is down: what to do by hand. */
async function planHere(world: World, asked: Asked): Promise<Plan> {
  const { readConfig } = await import('../worker/config.ts');
  const { createDependencies } = await import('../worker/dependencies.ts');
  const dependencies = createDependencies(readConfig(world.environment), {
    name: 'steadyhand plan --offline',
    environment: world.environment,
    withControl: false,
  });
  try {
    return (await dependencies.planner.plan(asked)).plan;
  } finally {
    await dependencies.close();
  }
}
