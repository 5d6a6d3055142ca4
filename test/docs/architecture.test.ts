import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { outcomes, runStates } from '../../domain/run.ts';
import { coded, read, tableOf } from './pages.ts';

const page = 'docs/architecture.md';
const meaningOf = (word: string): string => tableOf(page, 'word', 'meaning').find(([name]) => name === word)?.[1] ?? '';

test('every folder of the project stands in the table of folders', () => {
  const folders = readdirSync(new URL('../../', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !['.git', 'node_modules', 'build'].includes(entry.name))
    .map((entry) => `${entry.name}/`);
  const told = tableOf(page, 'folder').flatMap(([name = '']) => coded(name));
  // Not every checkout has benchmarks.
  expect(folders.filter((name) => name !== 'bench/' && !told.includes(name))).toEqual([]);
});

test('states and outcomes are those of the code', () => {
  expect(coded(meaningOf('state of a run'))).toEqual([...runStates]);
  expect(coded(meaningOf('outcome'))).toEqual([...outcomes]);
});

test('the limits by kind of work are those of workflows/engine/work.ts', () => {
  const text = read('workflows/engine/work.ts');
  const written = [...text.matchAll(/^ {2}(\w+): \{\s+startToCloseTimeout: '(\w+)',\s+(?:heartbeatTimeout: '(\w+)')?/gm)].map(
    ([, work, attempt, beat]) => [work, attempt, beat ?? attempt],
  );
  const short = (cell: string): string => cell.replace(' min', 'm').replace(' days', 'd').replace(' ', '');
  const table = read(page).match(/^ {3}\| `\w+` \|.*$/gm) ?? [];
  const told = table.map((line) => {
    const [work = '', attempt = '', beat = ''] = line.trim().split('|').slice(1, -1);
    return [coded(work)[0], short(attempt.trim()), short(beat.trim())];
  });
  expect(told).toEqual(written);
});
