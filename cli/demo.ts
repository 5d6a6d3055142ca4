import { Command, Option } from 'commander';
import type { AnyRunbook } from '../domain/runbook.ts';
import type { DemoReport } from '../sandbox/demo/report.ts';
import type { RdsOrders } from '../sandbox/rds-orders.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { moveArguments, rows } from './sandbox.ts';
import { UsageError, type World } from './world.ts';

interface DemoOptions {
  readonly pooler?: 'pgbouncer' | 'none';
  readonly keep?: boolean;
  readonly json?: boolean;
  readonly size?: number;
  readonly switch?: boolean;
}

interface Demo {
  /** What needs to have gone right, beside the outcome. A figure that is missing counts as wrong. */
  zeros(options: DemoOptions): readonly string[];
  run(world: World, options: DemoOptions, told: (report: DemoReport, runbook: AnyRunbook) => void): Promise<void>;
}

const demos: Readonly<Record<string, Demo>> = {
  'migration-cutover': {
    zeros: () => ['lost', 'ghost', 'duplicated', 'sequencesBehind', 'oldSideWritesAfterFence', 'tablesDiffering', 'inDoubtUnresolved'],
    run: cutover,
  },
  'dr-snapshot-copy': { zeros: () => ['lastOrderMissing', 'instancesLeftAbroad'], run: copyAbroad },
  'pitr-restore': {
    zeros: ({ switch: switches }) => ['heartbeatsMissing', 'heartbeatsTooLate', ...(switches ? whenSwitched : ['lostAfterTarget'])],
    run: restore,
  },
};

/** After a switch-over something is lost: just what was said, and the old one has it. */
const whenSwitched = ['heartbeatsNotOnOld', 'lostCountedOtherwise', 'clientsNotBack'];

export function demoCommand(world: World): Command {
  return new Command('demo')
    .description('Bring a sandbox up, run a runbook on it under load, report, and take it down (host command)')
    .argument('[runbook]', `the runbook to show: ${Object.keys(demos).join(', ')}`, 'migration-cutover')
    .addOption(new Option('--pooler <way>', 'how traffic moves (default: pgbouncer where it is installed)').choices(['pgbouncer', 'none']))
    .option('--keep', 'leave the sandbox up, and print what can be done with it')
    .option('--switch', 'switch over to the restored copy instead of copying the table back (pitr-restore only)')
    .option('--json', 'end with the report as one line of JSON')
    .option('--size <rows>', 'rows of the demo application, in all its tables (default: 200000)', rows)
    .action(async (runbook: string, options: DemoOptions) => {
      const demo = Object.hasOwn(demos, runbook) ? demos[runbook] : undefined;
      if (options.switch && runbook !== 'pitr-restore') throw new UsageError('--switch is for the demo of pitr-restore');
      if (!demo) throw new UsageError(`there is no demo of "${runbook}"; there are: ${Object.keys(demos).join(', ')}`);
      const { reportText } = await import('../sandbox/demo/report.ts');
      await demo.run(world, options, (report, { steps }) => {
        const titles = new Map(Object.entries(steps).map(([id, step]) => [id, step.title]));
        world.out(`\n${reportText(report, titles)}`);
        if (options.json) world.out(`${JSON.stringify(report)}\n`);
        judge(world, report, demo.zeros(options));
      });
    });
}

function judge(world: World, report: DemoReport, zeros: readonly string[]): void {
  const wrong = zeros.filter((name) => report.evidence[name] !== 0);
  if (report.outcome === 'succeeded' && report.auditVerified && wrong.length === 0) return;
  world.err(`The demo did not prove what it should: ${[report.outcome, ...wrong].join(', ')}\n`);
  world.bad();
}

async function cutover(world: World, options: DemoOptions, told: (report: DemoReport, runbook: AnyRunbook) => void): Promise<void> {
  const { bringUp } = await import('../sandbox/demo/bring-up.ts');
  const { cutoverDemo } = await import('../sandbox/demo/cutover.ts');
  const { migrationCutover } = await import('../workflows/migration-cutover/plan.ts');
  const say = (text: string): void => world.out(text);
  await bringUp(options, say, async (sandbox) => {
    const report = await cutoverDemo(sandbox, say);
    told(report, migrationCutover);
    if (options.keep) say(keptText(sandbox, report.outcome === 'succeeded' ? await nextMove(sandbox, say) : []));
  });
}

async function copyAbroad(world: World, options: DemoOptions, told: (report: DemoReport, runbook: AnyRunbook) => void): Promise<void> {
  if (options.pooler) throw new UsageError('--pooler is for the demo of migration-cutover');
  const { bringUpAtAws } = await import('../sandbox/demo/at-aws.ts');
  const { copyAbroadDemo } = await import('../sandbox/demo/copy-abroad.ts');
  const { drSnapshotCopy } = await import('../workflows/dr-snapshot-copy/plan.ts');
  const say = (text: string): void => world.out(text);
  const show = async (sandbox: Sandbox, orders: RdsOrders): Promise<void> =>
    told(await copyAbroadDemo(sandbox, orders, say), drSnapshotCopy);
  await bringUpAtAws(options, say, show, (sandbox) => say(keptText(sandbox, atAws(sandbox))));
}

async function restore(world: World, options: DemoOptions, told: (report: DemoReport, runbook: AnyRunbook) => void): Promise<void> {
  if (options.pooler) throw new UsageError('--pooler is for the demo of migration-cutover');
  const { bringUpAtAws } = await import('../sandbox/demo/at-aws.ts');
  const show = options.switch
    ? (await import('../sandbox/demo/switch-over.ts')).switchOverDemo
    : (await import('../sandbox/demo/restore.ts')).restoreDemo;
  const { pitrRestore } = await import('../workflows/pitr-restore/plan.ts');
  const say = (text: string): void => world.out(text);
  const shown = async (sandbox: Sandbox, orders: RdsOrders): Promise<void> => told(await show(sandbox, orders, say), pitrRestore);
  await bringUpAtAws(options, say, shown, (sandbox) => say(keptText(sandbox, atAws(sandbox))));
}

/** The lines of what can be done next, with a server that it can be done on. */
async function nextMove({ directory, tokens }: Sandbox, say: (text: string) => void): Promise<string[]> {
  const { freshTarget } = await import('../sandbox/fresh-target.ts');
  const target = await freshTarget({ directory, log: (line) => say(`${line}\n`) });
  return [
    `    steadyhand plan ${moveArguments(target)}`,
    `    steadyhand start ${moveArguments(target)} --watch`,
    '  It asks twice. Answer in a second shell, which needs the first line above, too:',
    `    steadyhand approve <run> --as ${tokens['grace']}      # for the dbas`,
    `    steadyhand approve <run> --as ${tokens['linus']}      # for the owners`,
    '  Then the inventory is to name the new server, and there is to be another one to move to. This does both:',
    '    steadyhand sandbox fresh-target',
  ];
}

/** The lines of what can be done with the database at the stand-in for AWS. */
function atAws({ tokens }: Sandbox): string[] {
  return [
    '    steadyhand start backup-now orders-aws --watch',
    '    steadyhand plan dr-snapshot-copy orders-aws -i snapshot=new',
    '    steadyhand start dr-snapshot-copy orders-aws -i snapshot=new --watch',
    '  It asks once. Answer in a second shell, which needs the first line above, too:',
    `    steadyhand approve <run> --as ${tokens['grace']}      # for the dbas`,
  ];
}

function keptText(sandbox: Sandbox, next: readonly string[]): string {
  return [
    '',
    'The sandbox stays up.',
    `  API            ${sandbox.environment['STEADYHAND_API_URL'] ?? ''}`,
    `  Temporal's UI  ${sandbox.temporal.ui}`,
    '  In a shell:',
    `    . ${sandbox.directory}/environment`,
    `    export STEADYHAND_TOKEN_FILE=${sandbox.tokens['ada'] ?? ''}`,
    '    steadyhand runs',
    ...next,
    '  At the end:',
    '    steadyhand sandbox down',
    '',
  ].join('\n');
}
