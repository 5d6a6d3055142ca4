import { expect, test } from 'vitest';
import { idOfTag, tagOf } from '../../domain/run.ts';

test('the tag on what a run makes leads back to the run', () => {
  const id = '01K5ZV7P8Q9R0S1T2V3W4X5Y6Z';
  const tag = tagOf(`migration-cutover/orders/${id}`);
  expect(tag).toBe(`steadyhand_${id.toLowerCase()}`);
  expect(idOfTag(tag)).toBe(id);
});
