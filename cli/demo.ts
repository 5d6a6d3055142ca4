import { Command, Option } from 'commander';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { rows } from './sandbox.ts';
import { UsageError, type World } from './world.ts';

interface DemoOptions {
  readonly pooler?: 'pgbouncer' | 'none';
  readonly keep?: boolean;
  readonly json?: boolean;
  readonly size?: number;
}

/** What a demo needs to have gone right, beside its outcome. A figure that is missing counts as wrong. */
const zeros = ['lost', 'ghost', 'duplicated', 'sequencesBehind', 'oldSideWritesAfterFence', 'tablesDiffering', 'inDoubtUnresolved'];

export function demoCommand(world: World): Command {
  return new Command('demo')
    .description('Bring a sandbox up, run a runbook on it under load, report, and take it down (host command)')
    .argument('[runbook]', 'the runbook to show', 'migration-cutover')
    .addOption(new Option('--pooler <way>', 'how traffic moves (default: pgbouncer where it is installed)').choices(['pgbouncer', 'none']))
    .option('--keep', 'leave the sandbox up, and say how to use it')
    .option('--json', 'end with the report as one line of JSON')
    .option('--size <rows>', 'rows of the demo application, in all its tables (default: 200000)', rows)
    .action(async (runbook: string, options: DemoOptions) => {
      if (runbook !== 'migration-cutover') throw new UsageError(`there is no demo of "${runbook}"; there is: migration-cutover`);
      await demo(world, options);
    });
}

async function demo(world: World, options: DemoOptions): Promise<void> {
  const { bringUp } = await import('../sandbox/demo/bring-up.ts');
  const { cutoverDemo } = await import('../sandbox/demo/cutover.ts');
  const { reportText } = await import('../sandbox/demo/report.ts');
  const { migrationCutover } = await import('../workflows/migration-cutover/plan.ts');
  const say = (text: string): void => world.out(text);
  await bringUp(options, say, async (sandbox) => {
    const report = await cutoverDemo(sandbox, say);
    const titles = new Map(Object.entries(migrationCutover.steps).map(([id, step]) => [id, step.title]));
    say(`\n${reportText(report, titles)}`);
    if (options.json) say(`${JSON.stringify(report)}\n`);
    const wrong = zeros.filter((name) => report.evidence[name] !== 0);
    if (report.outcome !== 'succeeded' || !report.auditVerified || wrong.length > 0) {
      world.err(`The demo did not prove what it should: ${[report.outcome, ...wrong].join(', ')}\n`);
      world.bad();
    }
    if (options.keep) say(keptText(sandbox));
  });
}

function keptText(sandbox: Sandbox): string {
  const others = Object.keys(sandbox.tokens).filter((person) => person !== 'ada');
  return [
    '',
    'The sandbox stays up.',
    `  API            ${sandbox.environment['STEADYHAND_API_URL'] ?? ''}`,
    `  Temporal's UI  ${sandbox.temporal.ui}`,
    '  In a shell:',
    `    . ${sandbox.directory}/environment`,
    `    export STEADYHAND_TOKEN_FILE=${sandbox.tokens['ada'] ?? ''}`,
    `    steadyhand runs                      # as ada; there are also ${others.join(', ')}`,
    '    steadyhand --help',
    '    steadyhand sandbox down              # takes it down',
    '  The database has moved by now, and the inventory still names the server that it came from. To move it yourself: `steadyhand',
    '  sandbox down`, then `steadyhand sandbox up`.',
    '',
  ].join('\n');
}
