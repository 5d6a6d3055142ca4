import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { everyScope } from '../../domain/token.ts';

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

test('docs/api.md says what each scope is for, and of no other', () => {
  const table = /^\| scope \|.*\n.*\n((?:\|.*\n)*)/m.exec(page)?.[1] ?? '';
  expect([...table.matchAll(/^\| `([a-z]+)` \| \S/gm)].map((row) => row[1])).toEqual(everyScope);
});
