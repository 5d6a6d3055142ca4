import { expect, test } from 'vitest';
import { catalog } from '../../workflows/catalog.ts';
import { workNamed } from '../../workflows/engine/work-named.ts';

const undos = Object.values(catalog).flatMap(({ name, takesBack }) => Object.values(takesBack?.undos ?? {}).map((verb) => [name, verb]));

test.each(undos)('%s: the undo %s is an activity of a contract, which says how long it may take', (_, verb) => {
  expect(workNamed(verb ?? '')).toBeDefined();
});

test('what removes an instance waits as long as the provider takes', () => {
  expect(workNamed('backup.deleteRestored')).toBe('wait');
  expect([workNamed('backup.nothing'), workNamed('nothing.at'), workNamed('')]).toEqual([undefined, undefined, undefined]);
});
