import { afterEach, describe, expect, it } from 'vitest';
import { lintProject, type LintProject } from './lint-project.ts';

let project: LintProject;
afterEach(() => project.remove());

/** Each is right in Node.js and wrong in a workflow, which has to be deterministic. */
const forbidden = [
  ['process', 'export const pid = process.pid;\n', `Cannot find name 'process'`],
  ['fetch', `export const page = fetch('https://example.com');\n`, `Cannot find name 'fetch'`],
  ['Buffer', `export const bytes = Buffer.from('a');\n`, `Cannot find name 'Buffer'`],
  ['console', `console.log('here');\n`, `Cannot find name 'console'`],
  ['node:fs', `import { readFileSync } from 'node:fs';\nexport const text = readFileSync('a');\n`, `Cannot find name 'node:fs'`],
] as const;

describe('the deterministic zone, by types', () => {
  it.each(forbidden)('%s is unknown in workflows/, and known elsewhere', async (_name, text, complaint) => {
    project = await lintProject({ 'workflows/engine/x.ts': text, 'worker/x.ts': text });
    expect(await project.check('workflows')).toContain(complaint);
    expect(await project.check('.')).toBe('');
  });

  it('looks into what a workflow imports, by import type too', async () => {
    project = await lintProject({
      'workflows/engine/x.ts': `import type { Home } from '../../activities/home.ts';\nexport const home: Home = 'a';\n`,
      'activities/home.ts': 'export const pid = process.pid;\nexport type Home = string;\n',
    });
    expect(await project.check('workflows')).toContain(`Cannot find name 'process'`);
  });

  it('is content with what workflows are made of', async () => {
    project = await lintProject({
      'workflows/engine/x.ts': `import { sleep } from '@temporalio/workflow';\nexport const wait = (): Promise<void> => sleep('1s');\n`,
    });
    expect(await project.check('workflows')).toBe('');
  });
});
