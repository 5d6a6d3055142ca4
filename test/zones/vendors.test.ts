import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { catalog } from '../../workflows/catalog.ts';

const vendors = /pgbouncer|aurora|\baws\b|\brds\b|azure|supabase|patroni|cloudnativepg|\bcnpg\b|kubernetes|slack/i;

test.each(Object.keys(catalog))('%s names no vendor: what one does differently is behind an activity', async (runbook) => {
  const folder = new URL(`../../workflows/${runbook}/`, import.meta.url);
  const files = await readdir(folder);
  expect(files).toEqual(expect.arrayContaining(['plan.ts', 'story.ts']));
  const lines = await Promise.all(files.map(async (name) => (await readFile(new URL(name, folder), 'utf8')).split('\n')));
  // Where the types of an activity come from is no text of the runbook.
  expect(lines.flat().filter((line) => vendors.test(line) && !line.startsWith('import type'))).toEqual([]);
});
