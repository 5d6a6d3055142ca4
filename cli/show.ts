import type { Command } from 'commander';
import type { RunDetail } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { eventsOf, eventText } from './event-lines.ts';
import { wrapped } from './fit.ts';
import { line } from './plain.ts';
import { runPath } from './run-of.ts';
import type { World } from './world.ts';

interface ShowOptions extends ClientOptions {
  json?: true;
  plan?: true;
  events?: true;
  findings?: true;
  undo?: true;
}

export function showCommand(world: World): Command {
  return clientCommand('show', 'Show a run: steps, open questions, decisions, evidence')
    .argument('<run>', 'ULID')
    .option('--plan', 'the plan that it follows')
    .option('--findings', 'what its checks found: warnings too, with what to do about each')
    .option('--undo', 'for a run that left things behind: how to take them back by hand')
    .option('--events', 'everything that was recorded of it, in order')
    .option('--json', 'as JSON')
    .action(async (run: string, options: ShowOptions) => {
      if (options.plan === true) await showPlan(world, run, options);
      else if (options.undo === true) await showUndo(world, run, options);
      else if (options.findings === true) await showFindings(world, run, options);
      else if (options.events === true) await showEvents(world, run, options);
      else await showRun(world, run, options);
    });
}

async function showRun(world: World, run: string, options: ShowOptions): Promise<void> {
  const { apiClient } = await import('./client.ts');
  const { runDetailSchema } = await import('../api/answers.ts');
  const client = apiClient(world, options);
  const detail = await client.get(runPath(run), runDetailSchema);
  if (options.json === true) {
    world.out(`${JSON.stringify(detail, null, 2)}\n`);
    return;
  }
  const { runLines } = await import('./watch-table.ts');
  const { serviceNotes } = await import('./service-note.ts');
  const { readAsking } = await import('./asking.ts');
  const notes = detail.state === 'closed' ? [] : (await serviceNotes(client)).map((note) => `(${note})`);
  world.out(
    `${wrapped(world, [...runLines(await readAsking(client)(detail), world.now()), ...decisionLines(detail), ...notes]).join('\n')}\n`,
  );
}

async function showPlan(world: World, run: string, options: ShowOptions): Promise<void> {
  const { apiClient } = await import('./client.ts');
  const { planSchema } = await import('../api/answers.ts');
  const plan = await apiClient(world, options).get(`${runPath(run)}/plan`, planSchema);
  const { planText } = await import('./plan-text.ts');
  world.out(options.json === true ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
}

async function showUndo(world: World, run: string, options: ShowOptions): Promise<void> {
  const { apiClient } = await import('./client.ts');
  const { planSchema, runDetailSchema } = await import('../api/answers.ts');
  const { undoText } = await import('./undo-text.ts');
  const client = apiClient(world, options);
  const detail = await client.get(runPath(run), runDetailSchema);
  let noReturn = false;
  for await (const event of eventsOf(client, `${runPath(run)}/events`)) noReturn ||= event.kind === 'no-return.decided';
  world.out(undoText(detail, await client.get(`${runPath(run)}/plan`, planSchema), noReturn));
}

async function showFindings(world: World, run: string, options: ShowOptions): Promise<void> {
  const { apiClient } = await import('./client.ts');
  const { runDetailSchema } = await import('../api/answers.ts');
  const { findingLines, findingsOf, findingsSchema } = await import('./findings-text.ts');
  const client = apiClient(world, options);
  const detail = await client.get(runPath(run), runDetailSchema);
  const digests = findingsOf(detail).map((one) => one.findings);
  if (digests.length === 0) throw new Failure('not-found', `the run ${detail.run} has no findings (yet)`);
  const found = (await Promise.all(digests.map((digest) => client.get(`/v1/findings/${digest}`, findingsSchema)))).flat();
  world.out(options.json === true ? `${JSON.stringify(found, null, 2)}\n` : `${findingLines(found).join('\n')}\n`);
}

async function showEvents(world: World, run: string, options: ShowOptions): Promise<void> {
  const { apiClient } = await import('./client.ts');
  for await (const event of eventsOf(apiClient(world, options), `${runPath(run)}/events`)) {
    world.out(`${options.json === true ? JSON.stringify(event) : eventText(event)}\n`);
  }
}

function decisionLines(run: RunDetail): string[] {
  if (run.decisions.length === 0) return [];
  const each = run.decisions.map((one) => {
    const judged = one.counts === null ? 'not judged yet' : one.counts ? 'counts' : 'does not count';
    const said = [one.reason, one.because === null || one.because === judged ? null : `(${one.because})`]
      .filter((part) => part !== null)
      .join(' ');
    return `  ${one.at}  ${line(one.person)}  ${one.choice}  ${one.approval}  ${judged}  ${line(said)}`.trimEnd();
  });
  return ['', 'Decisions', ...each];
}
