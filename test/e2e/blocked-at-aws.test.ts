/* oxlint-disable unicorn/no-thenable -- the input's `then` is a word: only a function there would make an await wait for it */
import { CreateDBSnapshotCommand, DeleteDBSnapshotCommand, StopDBInstanceCommand } from '@aws-sdk/client-rds';
import { expect, test } from 'vitest';
import { previewSchema } from '../../api/plan-answers.ts';
import { cliTest, type CliTest } from '../cli/place.ts';
import { eventually } from '../support/eventually.ts';
import { instanceOf, makeOld } from './old-instance.ts';
import { rdsPlace, type RdsPlace } from './rds-place.ts';

const place = rdsPlace({ quotas: { ManualSnapshots: 1 } });

interface Case {
  readonly runbook: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** Makes it wrong, and answers what puts it right again. */
  readonly wrong: (here: RdsPlace) => Promise<() => Promise<unknown>>;
  /** By their checks, in order. */
  readonly blocks: Readonly<Record<string, RegExp>>;
}

const configured =
  (change: Parameters<RdsPlace['configure']>[0]): Case['wrong'] =>
  async ({ configure }) => {
    configure(change);
    return await Promise.resolve(async () => await Promise.resolve());
  };

const quarantine = { parameterGroup: 'nowhere-16', securityGroups: ['sg-quarantine'] };

const cases: readonly Case[] = [
  {
    runbook: 'pitr-restore',
    input: { moment: '2026-01-01T00:00:00Z', then: 'switch-over' },
    wrong: configured({ rds: { quarantine }, users: [{ name: 'orders_owner' }] }),
    blocks: {
      'parameter group': /^there is no parameter group "nowhere-16" in eu-central-1$/,
      moment: /^orders-aws can be restored from .*; 2026-01-01T00:00:00.000Z is before that$/,
      login: /^the application of orders-aws logs in as orders_owner, as Steadyhand does/,
    },
  },
  {
    runbook: 'dr-snapshot-copy',
    input: { snapshot: 'new' },
    wrong: configured({ dr: { key: 'alias/nobodys', subnetGroup: 'none' } }),
    blocks: {
      'subnet group': /^there is no subnet group "none" in eu-west-1$/,
      key: /^there is no key "alias\/nobodys" in eu-west-1$/,
    },
  },
  {
    runbook: 'backup-now',
    wrong: async ({ orders, configure }) => {
      const instance = await makeOld(orders);
      const id = 'the-last-one';
      await orders.client().send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: instance, DBSnapshotIdentifier: id }));
      await reaches(instance, 'available');
      await orders.client().send(new StopDBInstanceCommand({ DBInstanceIdentifier: instance }));
      await reaches(instance, 'stopped');
      configure({ rds: { instance } });
      return async () => await orders.client().send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }));
    },
    blocks: {
      instance: /^the instance "orders-old-\w+" is stopped, which does not pass by itself$/,
      quota: /^the account may have 1 ManualSnapshots in eu-central-1, has 1, and the run adds 1$/,
    },
  },
  {
    runbook: 'remove-old',
    input: { instance: 'orders' },
    wrong: configured({}),
    blocks: {
      'old instance': /^"orders" does not bear the tags of a switch-over/,
      inventory: /^the inventory's "orders-aws" points to "orders"$/,
    },
  },
];

async function reaches(id: string, status: string): Promise<void> {
  await eventually(async () => (await instanceOf(place().orders, id))?.DBInstanceStatus === status || undefined, 60_000);
}

function commandLine({ sandbox: { environment, tokens } }: RdsPlace, tty = false): CliTest {
  return cliTest({ tty, environment: { ...process.env, ...environment, STEADYHAND_TOKEN_FILE: tokens['ada'] } });
}

/** How far backups reach changes from second to second. */
const still = (text: string): string => text.replaceAll(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, 'T');

test.each(cases)('plan shows all that blocks $runbook and exits with 1, and the run is refused in the same words', async (one) => {
  const { runbook, input = {}, wrong, blocks } = one;
  const here = place();
  const right = await wrong(here);
  try {
    const before = here.orders.aws.calls().length;
    const cli = commandLine(here);
    const given = Object.entries(input).flatMap(([key, value]) => ['-i', `${key}=${String(value)}`]);
    const json = await cli.run('plan', runbook, 'orders-aws', ...given, '--json');
    const { findings, plan } = previewSchema.parse(JSON.parse(json.out));
    expect(json).toMatchObject({ code: 1, err: '' });
    expect(plan.steps.length).toBeGreaterThan(0);
    expect(findings.map(({ check, level, evidence }) => [level, check, evidence])).toEqual(
      Object.entries(blocks).map(([check, evidence]) => ['blocks', check, expect.stringMatching(evidence)]),
    );
    expect(findings.every(({ fix }) => fix !== '')).toBe(true);

    const { code, out } = await cli.run('plan', runbook, 'orders-aws', ...given);
    const [, verdict = '', ...lines] = out.split('\n');
    expect([code, verdict]).toEqual([1, expect.stringContaining(`BLOCKED by ${findings.length} findings`)]);
    const shown = findings.flatMap(({ check, evidence, fix }) => [`blocks   ${check}: ${evidence}`, `         do: ${fix}`]);
    expect(
      lines
        .slice(lines.indexOf('FINDINGS') + 1)
        .slice(0, shown.length)
        .map(still),
    ).toEqual(shown.map(still));

    const refused = await here.until(await here.request(runbook, input), ({ state }) => state === 'closed');
    expect(refused).toMatchObject({ outcome: 'refused', left: [] });
    const [head, ...each] = (refused.failure?.message ?? '').split('\n');
    expect(head).toBe(`${findings.length} findings block the run:`);
    expect(each.map(still)).toEqual(findings.map(({ check, evidence, fix }) => still(`- ${check}: ${evidence}. ${fix}`)));
    expect(here.changingCalls(before)).toEqual([]);
  } finally {
    await right();
  }
});

test('where no plan can be made, everything that stands against it is said at once', async () => {
  const here = place();
  here.configure({ rds: { instance: 'nobody' }, users: [{ name: 'orders_owner' }] });
  const asked = ['plan', 'pitr-restore', 'orders-aws', '-i', 'moment=2026-01-01T00:00:00', '-i', 'then=switch-over'];
  const { code, out, err } = await commandLine(here).run(...asked);
  expect([code, out]).toEqual([1, '']);
  expect(err.split('\n').slice(0, 4)).toEqual([
    'steadyhand: 3 findings block the run:',
    expect.stringMatching(/^- moment: the moment "2026-01-01T00:00:00" cannot be restored: it has no time zone/),
    expect.stringMatching(/^- instance: there is no instance "nobody" in eu-central-1\. Correct the inventory/),
    expect.stringMatching(/^- login: the application of orders-aws logs in as orders_owner/),
  ]);
  const onTerminal = await commandLine(here, true).run(...asked);
  expect(onTerminal.err.split('\n').filter((text) => text.length >= 100)).toEqual([]);
  expect(onTerminal.err.replaceAll(/\n {2,}/g, ' ')).toBe(err.replaceAll(/\n {2,}/g, ' '));
});
