import { expect, test } from 'vitest';
import { z } from 'zod';
import { catalog } from '../../workflows/catalog.ts';
import { coded, tableOf } from './pages.ts';

const runbooks = Object.values(catalog);
const pageOf = (name: string): string => `docs/${name}.md`;

test.each(runbooks)('the page of $name has every step, in order, and says which may be skipped', ({ name, steps }) => {
  const rows = tableOf(pageOf(name), 'step', 'what it changes').map(([ids = '', text = '']) => ({ ids: coded(ids), text }));
  expect(rows.flatMap((row) => row.ids)).toEqual(Object.keys(steps));
  const skippable = Object.entries(steps).filter(([, step]) => step.skippable === true);
  const told = rows.filter((row) => row.text.includes('May be skipped'));
  expect(told.flatMap((row) => row.ids)).toEqual(skippable.map(([id]) => id));
});

test.each(runbooks)('the page of $name has the fields of its input, with their defaults', ({ name, input }) => {
  const { properties = {} } = z.toJSONSchema(input, { io: 'input' });
  const fields = Object.entries(properties).map(([field, schema]) => [field, defaultOf(schema)]);
  if (fields.length === 0) return;
  expect(tableOf(pageOf(name), 'field of the input').map(([field = '', value = '']) => [coded(field)[0], coded(value)[0] ?? ''])).toEqual(
    fields,
  );
});

function defaultOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null || !('default' in schema)) return '';
  return JSON.stringify(schema.default).replaceAll('"', '');
}
