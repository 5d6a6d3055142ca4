import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintProject, type Finding, type LintProject } from './lint-project.ts';

const environment = `export const home = process.env['HOME'];\n`;
const printing = `console.log('here');\n`;

/** A file that breaks a rule, and the rule. */
const broken: readonly (readonly [file: string, rule: string, text: string])[] = [
  [
    'activities/forgotten.ts',
    'typescript(no-floating-promises)',
    'async function act(): Promise<void> {}\nexport function all(): void {\n  act();\n}\n',
  ],
  [
    'workflows/engine/validator.ts',
    'typescript(no-misused-promises)',
    'const validate = (check: () => void): void => check();\nvalidate(async () => {\n  await Promise.resolve();\n});\n',
  ],
  [
    'domain/choice.ts',
    'typescript(switch-exhaustiveness-check)',
    `export function textOf(choice: 'approve' | 'reject'): string | undefined {\n  switch (choice) {\n    case 'approve':\n      return 'yes';\n  }\n}\n`,
  ],
  ['domain/loose.ts', 'typescript(no-explicit-any)', 'export const loose = (one: any): string => String(one);\n'],
  ['domain/equal.ts', 'eslint(eqeqeq)', `export const same = (a: string, b: string): boolean => a == b;\n`],
  [
    'domain/types.ts',
    'typescript(consistent-type-imports)',
    `import { Plan } from './plan.ts';\nexport const name = (plan: Plan): string => String(plan);\n`,
  ],
  ['domain/long.ts', 'eslint(max-lines)', Array.from({ length: 301 }, (_, index) => `export const a${index} = ${index};\n`).join('')],
  ['control/cycle-a.ts', 'import(no-cycle)', `import { b } from './cycle-b.ts';\nexport const a = (): number => b();\n`],
  ['control/cycle-b.ts', 'import(no-cycle)', `import { a } from './cycle-a.ts';\nexport const b = (): number => a();\n`],
  ...['api', 'worker', 'activities', 'workflows', 'domain', 'control', 'temporal'].flatMap((zone) => [
    [`${zone}/prints.ts`, 'eslint(no-console)', printing] as const,
    [`${zone}/reads.ts`, 'node(no-process-env)', environment] as const,
  ]),
  ['api/routes/prints.ts', 'eslint(no-console)', printing],
  ['api/hidden.ts', 'eslint(no-restricted-properties)', `export const home = globalThis.process.env['HOME'];\n`],
];

/** Files that look much the same and break nothing. */
const fine: Readonly<Record<string, string>> = {
  'activities/awaited.ts': 'async function act(): Promise<void> {}\nexport async function all(): Promise<void> {\n  await act();\n}\n',
  'worker/config.ts': environment,
  'cli/reads.ts': environment,
  'cli/prints.ts': printing,
  'sandbox/reads.ts': environment,
  'sandbox/prints.ts': printing,
  'domain/full.ts': Array.from({ length: 300 }, (_, index) => `export const a${index} = ${index};\n`).join(''),
};

let project: LintProject;
let found: Finding[];

beforeAll(async () => {
  project = await lintProject({ ...Object.fromEntries(broken.map(([file, , text]) => [file, text])), ...fine });
  found = await project.lint();
});

afterAll(() => project.remove());

describe('the rules, by lint', () => {
  it.each(broken)('%s breaks %s', (file, rule) => {
    expect(found.filter((one) => one.file === file).map((one) => one.rule)).toContain(rule);
  });

  it.each(Object.keys(fine))('%s breaks none', (file) => {
    expect(found.filter((one) => one.file === file)).toEqual([]);
  });
});
