import { expect, test } from 'vitest';
import { z } from 'zod';
import { pitrRestore, steps } from '../../workflows/pitr-restore/plan.ts';
import { coded, tableOf } from './pages.ts';

const page = 'docs/pitr-restore.md';
const first = (rows: string[][]): string[] => rows.map(([cell = '']) => coded(cell)[0] ?? '');

test('the table of steps is the list of steps, and says which may be skipped', () => {
  const rows = tableOf(page, 'step', 'what it changes');
  expect(first(rows)).toEqual(Object.keys(steps));
  const skippable = Object.entries(steps).filter(([, step]) => 'skippable' in step && step.skippable);
  expect(first(rows.filter((row) => row[1]?.includes('May be skipped')))).toEqual(skippable.map(([id]) => id));
});

test('the fields of the input have the defaults of the schema', () => {
  const { properties = {} } = z.toJSONSchema(pitrRestore.input, { io: 'input' });
  const defaultOf = (field: unknown): unknown =>
    typeof field === 'object' && field !== null && 'default' in field ? field.default : undefined;
  const fields = Object.entries(properties).map(([name, field]) => {
    const value = defaultOf(field);
    return [name, value === undefined ? '' : JSON.stringify(value).replaceAll('"', '')];
  });
  expect(tableOf(page, 'field of the input').map(([name = '', value = '']) => [coded(name)[0], coded(value)[0] ?? ''])).toEqual(fields);
});
