import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { catalog } from '../../workflows/catalog.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';

const stories = [
  ...Object.values(catalog).map((runbook) => ({ runbook, file: `../../workflows/${runbook.name}/story.ts` })),
  { runbook: rehearsal, file: '../support/rehearsal-story.ts' },
];

test.each(stories)('the undos of $runbook.name are those that its story names', async ({ runbook, file }) => {
  const story = await readFile(new URL(file, import.meta.url), 'utf8');
  const named = [...story.matchAll(/run\.step\('([\w-]+)', \w+\.\w+, \{ undo: (\w+)\.(\w+)/g)].map(([, step, folder, verb]) => [
    step,
    `${folder === 'world' ? 'rehearsal' : folder}.${verb}`,
  ]);
  const changes = Object.values(runbook.steps).filter(({ kind }) => kind === 'change');
  expect(named.length > 0).toBe(changes.some(({ pointOfNoReturn }) => pointOfNoReturn !== true));
  expect(runbook.takesBack?.undos).toEqual(Object.fromEntries(named));
});
