import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { planSchema } from '../../api/answers.ts';
import { previewSchema } from '../../api/plan-answers.ts';
import { variablesOf } from '../../domain/command.ts';
import type { Plan } from '../../domain/plan.ts';
import { cliTest } from '../cli/place.ts';
import { steps } from '../../workflows/migration-cutover/plan.ts';
import { executedIn, patternOf, type Executed } from '../support/executed.ts';
import { aliasOf } from './databases.ts';
import { movePlace, pooled, type Move } from './place.ts';

const place = movePlace({ logStatement: 'all' });

/** The number of a step in the plan. */
const numberOf = (id: keyof typeof steps): number => Object.keys(steps).indexOf(id) + 1;
const writesHeld = String.raw`writes, at step ${numberOf('switch')}: at most 2\.0 s; over that the run gives way`;

test('the plan and what was executed agree: step by step, and in the servers’ own logs', async () => {
  const move = await place.begin();
  const run = await move.request();
  await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-prepare'));
  await seesWhatItIsAbout(move, run);
  await move.agree(run, 'approve-prepare');
  await move.agree(run, 'approve-switch');
  const closed = await move.until(run, (now) => now.state === 'closed');
  expect(closed.outcome).toBe('succeeded');
  const plan = await move.as('ada').get(`/v1/runs/${run.split('/').at(-1)}/plan`, planSchema);
  expect(closed.steps.map((step) => [step.id, step.state])).toEqual(
    plan.steps.map((step) => [step.id, step.applies === false ? 'absent' : 'done']),
  );
  for (const side of ['source', 'target'] as const) {
    const executed = await statementsOf(move, side);
    const unplanned = executed.filter((one) => !patternsOf(plan, side, one.step).some((pattern) => pattern.test(one.statement)));
    expect(unplanned).toEqual([]);
    const missed = plannedOn(plan, side).filter(
      (one) => one.when === undefined && !executed.some(({ step, statement }) => step === one.step && patternOf(one.text).test(statement)),
    );
    expect(missed).toEqual([]);
  }
});

/** The prompt shows it before it asks; `show` beside the question. Nobody agrees here. */
async function seesWhatItIsAbout({ sandbox: { environment, tokens } }: Move, run: string): Promise<void> {
  const asked: string[] = [];
  const cli = cliTest({
    environment: { ...process.env, ...environment, STEADYHAND_TOKEN_FILE: tokens['grace'] },
    tty: true,
    confirm: async (question) => await Promise.resolve(asked.push(question) === 0),
  });
  const id = run.split('/').at(-1) ?? '';
  const prompt = await cli.run('approve', id);
  expect(prompt).toMatchObject({ code: 1, err: '', out: expect.stringMatching(/Nothing was sent\.\n$/) });
  expect(asked).toHaveLength(1);
  const shown = await cli.run('show', id);
  for (const { out } of [prompt, shown]) {
    const text = out.replaceAll(/\n {4,}/g, ' ');
    expect(text).toMatch(
      new RegExp(String.raw`^ {2}does {5}\d+ steps, of which \d+ changes? something; step ${numberOf('switch')} cannot be undone$`, 'm'),
    );
    expect(text).toMatch(new RegExp(writesHeld));
    expect(text).toMatch(/^ {2}WARNING {2}WAL on the source: /m);
    expect(text).toMatch(new RegExp(`^ {2}warnings 2; what to do: steadyhand show ${id} --findings`, 'm'));
    expect(out.split('\n').filter((one) => one.length > 100)).toEqual([]);
  }
  expect(prompt.out.indexOf('WARNING')).toBeLessThan(prompt.out.indexOf('  digest'));
}

test('on a source with two findings that block, plan prints both first, the summary above them, and exits with 1', async () => {
  const move = await place.begin({ workers: 0 });
  const source = await move.connect('source');
  await source.query('CREATE TABLE notes (note text)');
  await source.end();
  const target = await move.connect('target');
  await target.query("CREATE TABLE notes (note text); INSERT INTO customers (name, email) VALUES ('seed', 'seed')");
  await target.end();
  const { environment, tokens } = move.sandbox;
  const asked = ['migration-cutover', move.database, '-i', `target=${move.database}-18`, '-i', 'schema=already-there'];
  const cli = cliTest({ environment: { ...process.env, ...environment, STEADYHAND_TOKEN_FILE: tokens['ada'] } });
  for (const how of [[], ['--offline']]) {
    const { code, out, err } = await cli.run('plan', ...asked, ...how);
    expect(err).toBe('');
    expect(code).toBe(1);
    const lines = out.split('\n');
    expect(lines.slice(1, 3)).toEqual([
      expect.stringMatching(/^ {2}BLOCKED by 2 findings: a run that is asked for now would be refused/),
      expect.stringMatching(/^ {2}steps {4}\d+, of which \d+ change something$/),
    ]);
    expect(out).toMatch(
      new RegExp(String.raw`^ {2}holds up DDL on the source, from step ${numberOf('freeze-ddl')} .*\n {11}${writesHeld}$`, 'm'),
    );
    const findings = lines.slice(
      lines.indexOf('FINDINGS') + 1,
      lines.findIndex((one) => one.startsWith('  1. check')),
    );
    expect(findings.filter((one) => one.startsWith('blocks '))).toEqual([
      expect.stringMatching(/public\.notes/),
      expect.stringMatching(/empty target: .*holds rows already/),
    ]);
    expect(findings[0]).toMatch(/^blocks /);
  }
  const json = previewSchema.parse(JSON.parse((await cli.run('plan', ...asked, '--json')).out));
  expect(json).toMatchObject({ blocked: true, plan: { database: move.database } });
  if (pooled) {
    await loseAlias(move);
    const { code, out } = await cli.run('plan', ...asked);
    expect(code).toBe(1);
    expect(out).toMatch(/^ {2}BLOCKED by 3 findings/m);
    expect(out).toMatch(/^blocks {3}pooler alias: the pooler of orders\S* has no alias/m);
  }
});

test('every variable of the plan is explained', async () => {
  const move = await place.begin({ workers: 0 });
  const { plan } = await move
    .as('ada')
    .post('/v1/plans', { runbook: 'migration-cutover', database: move.database, input: { target: `${move.database}-18` } }, previewSchema);
  const used = plan.steps.flatMap((step) =>
    step.applies === false ? [] : [...step.commands, ...(step.undo ?? [])].flatMap((command) => variablesOf(command)),
  );
  const unexplained = [...new Set(used)].filter((name) => !Object.hasOwn(plan.variables, name) && !/_[1-9]\d*$/.test(name));
  expect(unexplained).toEqual([]);
});

/** As if somebody had renamed it in PgBouncer's file. */
async function loseAlias({ sandbox: { pgbouncer }, database }: Move): Promise<void> {
  const file = pgbouncer?.configFile ?? '';
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(aliasOf(database), 'renamed'));
}

/** The statements of sessions that are named after a step, as the server wrote them down. */
async function statementsOf(move: Move, side: 'source' | 'target'): Promise<Executed[]> {
  return executedIn(await readFile(move.sandbox[side].logFile, 'utf8'), move.dbname);
}

function plannedOn(plan: Plan, side: 'source' | 'target'): { step: string; text: string; when?: string }[] {
  return plan.steps.flatMap((step) =>
    step.applies === false
      ? []
      : step.commands
          .filter((command) => command.on === side && command.kind === 'sql')
          .map(({ text, when }) => ({ step: step.id, text, ...(when === undefined ? {} : { when }) })),
  );
}

function patternsOf(plan: Plan, side: 'source' | 'target', step: string): RegExp[] {
  return plannedOn(plan, side)
    .filter((one) => one.step === step)
    .map((one) => patternOf(one.text));
}
