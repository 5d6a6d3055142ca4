import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintProject, type Finding, type LintProject } from './lint-project.ts';

/** What the rules say to an ordinary import (`value`) and to an `import type` (`type`) of something. */
interface Case {
  readonly from: string;
  readonly imports: string;
  readonly value: 'refused' | 'allowed';
  readonly type: 'refused' | 'allowed';
}

const refused = (from: string, ...imports: string[]): Case[] =>
  imports.map((one) => ({ from, imports: one, value: 'refused', type: 'refused' }));
const typesOnly = (from: string, ...imports: string[]): Case[] =>
  imports.map((one) => ({ from, imports: one, value: 'refused', type: 'allowed' }));
const allowed = (from: string, ...imports: string[]): Case[] =>
  imports.map((one) => ({ from, imports: one, value: 'allowed', type: 'allowed' }));

const cases: Case[] = [
  ...refused(
    'domain/x.ts',
    '../control/y.ts',
    '../activities/attempt.ts',
    'pg',
    'node:crypto',
    'node:fs/promises',
    'zod/v4',
    '@temporalio/common',
  ),
  ...allowed('domain/x.ts', './y.ts', 'zod', 'yaml', 'canonicalize'),
  ...refused('domain/digest.ts', '../control/y.ts', 'node:fs', 'zod'),
  ...allowed('domain/digest.ts', './y.ts', 'canonicalize', 'node:crypto'),

  ...refused(
    'control/x.ts',
    '../temporal/y.ts',
    '../activities/attempt.ts',
    '../workflows/catalog.ts',
    '../worker/config.ts',
    '../api/y.ts',
  ),
  ...refused('control/x.ts', '../sandbox/y.ts', '@temporalio/client', 'fastify', 'node:process'),
  ...refused('control/events/x.ts', '../../temporal/y.ts', '@temporalio/common'),
  ...allowed('control/x.ts', './y.ts', '../domain/y.ts', 'pg', 'ulid', 'node:crypto', 'node:fs/promises'),
  ...allowed('control/events/x.ts', '../y.ts', '../../domain/y.ts'),

  ...refused(
    'activities/postgres/x.ts',
    '@temporalio/activity',
    '@temporalio/common',
    '../../workflows/catalog.ts',
    '../../worker/config.ts',
  ),
  ...refused('activities/postgres/x.ts', '../../api/y.ts', '../../temporal/y.ts', '../../cli/y.ts', '../../sandbox/y.ts', 'node:process'),
  ...refused('activities/x.ts', '../temporal/y.ts', '../workflows/engine/step.ts'),
  ...refused('activities/providers/streaming/x.ts', '../../../temporal/y.ts', '../../../sandbox/y.ts'),
  ...typesOnly('activities/postgres/x.ts', '../../control/contract.ts'),
  ...typesOnly('activities/providers/streaming/x.ts', '../../../control/contract.ts'),
  ...allowed('activities/postgres/x.ts', './y.ts', '../engine/ensure.ts', '../../domain/y.ts', 'pg', 'node:fs'),

  ...refused('workflows/engine/x.ts', 'node:crypto', 'node:fs/promises', 'pg', 'ulid', '@temporalio/client', '@temporalio/worker'),
  ...refused(
    'workflows/engine/x.ts',
    '../../control/contract.ts',
    '../../temporal/y.ts',
    '../../worker/config.ts',
    '../../api/y.ts',
    '../../sandbox/y.ts',
  ),
  ...refused('workflows/engine/x.ts', '../../domain/digest.ts'),
  ...refused('workflows/index.ts', 'node:crypto', '../control/contract.ts', '../sandbox/y.ts'),
  ...typesOnly(
    'workflows/engine/x.ts',
    '../migration-cutover/plan.ts',
    '../../activities/attempt.ts',
    '../../activities/postgres/commands.ts',
  ),
  ...typesOnly('workflows/engine/x.ts', '../../activities/postgres/compare.ts', '../../activities/providers/streaming/contract.ts', 'zod'),
  ...typesOnly('workflows/engine/x.ts', '../catalog.ts', '../../domain/inventory.ts'),
  ...typesOnly(
    'workflows/migration-cutover/story.ts',
    './plan.ts',
    '../../activities/replication/commands.ts',
    '../../activities/replication/facts.ts',
  ),
  ...typesOnly('workflows/index.ts', './migration-cutover/plan.ts', './catalog.ts', '../activities/attempt.ts'),
  ...allowed(
    'workflows/engine/x.ts',
    './y.ts',
    '../../domain/failure.ts',
    '../../activities/postgres/contract.ts',
    '@temporalio/workflow',
    '@temporalio/common',
  ),
  ...allowed('workflows/index.ts', './migration-cutover/story.ts', '../activities/postgres/contract.ts'),
  ...allowed(
    'workflows/migration-cutover/story.ts',
    '../engine/run.ts',
    '../../activities/replication/contract.ts',
    '@temporalio/workflow',
  ),

  ...refused(
    'workflows/migration-cutover/plan.ts',
    './story.ts',
    '@temporalio/workflow',
    'node:crypto',
    '../../control/contract.ts',
    '../../domain/digest.ts',
  ),
  ...typesOnly(
    'workflows/migration-cutover/plan.ts',
    '../../activities/replication/commands.ts',
    '../../activities/replication/contract.ts',
  ),
  ...allowed('workflows/migration-cutover/plan.ts', '../../domain/plan.ts', '../../domain/y.ts', 'zod', './tables.ts'),
  ...refused('workflows/catalog.ts', './migration-cutover/story.ts', './index.ts', '@temporalio/workflow', '../control/contract.ts'),
  ...allowed('workflows/catalog.ts', './migration-cutover/plan.ts', '../domain/runbook.ts'),

  ...refused(
    'temporal/x.ts',
    '../workflows/catalog.ts',
    '../worker/config.ts',
    '../activities/attempt.ts',
    '../api/y.ts',
    '../sandbox/y.ts',
  ),
  ...refused('temporal/x.ts', '@temporalio/worker', '@temporalio/workflow', '@temporalio/activity', 'node:process'),
  ...allowed('temporal/x.ts', './y.ts', '../domain/y.ts', '@temporalio/client', '@temporalio/common', '@temporalio/envconfig'),

  ...refused('worker/x.ts', '../api/y.ts', '../cli/y.ts', '../sandbox/y.ts', '../test/support/y.ts', 'node:process'),
  ...allowed(
    'worker/x.ts',
    '../temporal/y.ts',
    '../control/y.ts',
    '../activities/postgres/y.ts',
    '../workflows/catalog.ts',
    '@temporalio/worker',
  ),

  ...refused(
    'api/x.ts',
    '../sandbox/y.ts',
    '../cli/y.ts',
    '../activities/attempt.ts',
    '../workflows/index.ts',
    '../worker/main.ts',
    '@temporalio/worker',
  ),
  ...refused(
    'api/routes/x.ts',
    '../../sandbox/y.ts',
    '../../workflows/migration-cutover/plan.ts',
    '../../worker/wiring.ts',
    'node:process',
  ),
  ...allowed(
    'api/x.ts',
    '../control/y.ts',
    '../temporal/y.ts',
    '../domain/y.ts',
    '../workflows/catalog.ts',
    '../worker/config.ts',
    'fastify',
  ),
  ...allowed('api/routes/x.ts', '../y.ts', '../../workflows/catalog.ts', '../../worker/config.ts', '../../worker/dependencies.ts'),

  ...refused('cli/x.ts', '../sandbox/y.ts', '../test/support/y.ts', '../bench/y.ts'),
  ...allowed('cli/x.ts', '../api/y.ts', '../worker/config.ts', '../domain/y.ts'),
  ...refused('cli/sandbox.ts', '../test/support/y.ts'),
  ...allowed('cli/sandbox.ts', '../sandbox/y.ts'),
  ...allowed('cli/demo.ts', '../sandbox/y.ts'),
  ...refused('sandbox/x.ts', '../test/support/y.ts', '../bench/y.ts'),
  ...refused('deploy/x.ts', '../sandbox/y.ts', '../test/support/y.ts', 'node:process'),
  ...allowed('test/engine/x.ts', '../../sandbox/y.ts', '../../cli/y.ts', 'node:process'),
  ...allowed('bench/x.ts', '../sandbox/y.ts', '../test/support/y.ts'),
];

interface Line {
  readonly text: string;
  readonly verdict: Case['value'];
}

/** Every way to import something, a line each: the rules must see all of them. */
const lines = (one: Case, index: number): Line[] => [
  { text: `import { a as a${index} } from '${one.imports}';`, verdict: one.value },
  { text: `export { a as b${index} } from '${one.imports}';`, verdict: one.value },
  { text: `export const c${index} = import('${one.imports}');`, verdict: one.value },
  { text: `import type { d as d${index} } from '${one.imports}';`, verdict: one.type },
];

const files = Map.groupBy(cases, (one) => one.from);
let project: LintProject;
let found: Finding[];

beforeAll(async () => {
  const texts = [...files].map(([file, all]) => [
    file,
    all
      .flatMap(lines)
      .map((line) => `${line.text}\n`)
      .join(''),
  ]);
  project = await lintProject(Object.fromEntries(texts));
  found = await project.lint();
});

afterAll(() => project.remove());

describe('the zones, by lint', () => {
  it.each([...files.keys()])('%s imports what its zone may, and nothing else', (file) => {
    const reported = new Set(
      found.filter((one) => one.file === file && one.rule === 'eslint(no-restricted-imports)').map((one) => one.line),
    );
    const expected = (files.get(file) ?? []).flatMap(lines);
    const seen = expected.map(({ text }, index) => ({ text, verdict: reported.has(index + 1) ? 'refused' : 'allowed' }));
    expect(seen).toEqual(expected);
  });
});
