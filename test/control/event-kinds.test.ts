import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { eventKinds } from '../../control/event-kinds.ts';

it('docs/audit.md says of every kind of event when it is written, and of no other', async () => {
  const text = await readFile(new URL('../../docs/audit.md', import.meta.url), 'utf8');
  const cells = text.split('\n').map((line) => line.split('|')[1] ?? '');
  const kinds = cells.flatMap((cell) => [...cell.matchAll(/`([a-z-]+\.(?:[a-z-]+|…))`/g)].map((match) => match[1]));
  expect(new Set(kinds)).toEqual(new Set([...eventKinds, 'step.…']));
});
