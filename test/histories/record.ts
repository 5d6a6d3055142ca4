// `npm run histories`: writes the histories of today's stories anew, one file for each scene of each runbook. When to, says
// docs/harness.md.
import { mkdir, writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { test } from 'vitest';
import { cutoverSubject } from '../harness/cutover/subject.ts';
import { proving } from '../harness/proving.ts';
import { rehearsalSubject } from '../harness/rehearsal/subject.ts';
import { folderOf } from './folder.ts';
import { scenes } from './scenes.ts';
import { withoutPlaces } from './without-places.ts';

/** For each runbook a change before its point of no return, and not the first one. */
const recorded = [
  { subject: cutoverSubject, step: 'publish' },
  { subject: rehearsalSubject, step: 'second' },
];

for (const { subject, step } of recorded) {
  const { begin } = proving(subject, 'every');
  test.concurrent.for(Object.keys(scenes))(`${subject.runbook.name}: %s`, async (scene, context) => {
    const trial = await begin(context);
    await scenes[scene]?.(trial, step);
    const history = await trial.stage.client.workflow.getHandle(trial.run).fetchHistory();
    const folder = folderOf(subject.runbook.name);
    await mkdir(folder, { recursive: true });
    await writeFile(new URL(`${scene}.json`, folder), `${withoutPlaces(historyToJSON(history))}\n`);
  });
}
