import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { expect, inject, test } from 'vitest';
import { catalog } from '../../workflows/catalog.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import { folderOf } from './folder.ts';
import { scenesOf } from './scenes.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** The rehearsal's, too: it has words of the engine that no other story uses. */
const runbooks = [...Object.values(catalog), rehearsal];
const recorded = runbooks.flatMap(({ name }) => readdirSync(folderOf(name)).map((file) => ({ runbook: name, file })));

test.each(runbooks)('$name has a history of each scene', (runbook) => {
  const files = recorded.filter((one) => one.runbook === runbook.name).map((one) => one.file);
  expect(files).toEqual(expect.arrayContaining(scenesOf(runbook).map((scene) => `${scene}.json`)));
});

test.each(recorded)('today’s code replays $runbook/$file', async ({ runbook, file }) => {
  expect(await problemOf(await readFile(inject('workflowBundle'), 'utf8'), historyOf(runbook, file))).toBeUndefined();
});

test('a story with its steps in another order is found out', async () => {
  const code = await readFile(inject('workflowBundle'), 'utf8');
  const frozen = /await run\.step\((['"])freeze-ddl\1/;
  const published = /await run\.step\((['"])publish\1/;
  expect(code).toMatch(frozen);
  const lines = code.split('\n');
  const [one, other] = [lines.findIndex((line) => frozen.test(line)), lines.findIndex((line) => published.test(line))];
  expect([one, other]).not.toContain(-1);
  const swapped = lines.map((line, index) => (index === one ? (lines[other] ?? '') : index === other ? (lines[one] ?? '') : line));
  expect(await problemOf(swapped.join('\n'), historyOf('migration-cutover', 'succeeded.json'))).toMatch(/nondeterminism/i);
});

function historyOf(runbook: string, file: string): History {
  return historyFromJSON(JSON.parse(readFileSync(new URL(file, folderOf(runbook)), 'utf8')));
}

/** What the replay says against it; undefined when it goes through. */
async function problemOf(code: string, history: History): Promise<string | undefined> {
  const replays = Worker.runReplayHistories({ workflowBundle: { code } }, [{ workflowId: 'recorded', history }]);
  for await (const { error } of replays) if (error) return `${error.name}: ${error.message}`;
  return undefined;
}
