import { expect, test } from 'vitest';
import { remembered } from '../../temporal/remembered.ts';

test('one check serves all who ask while it is made and while its answer holds; a failure holds as long as it says', async () => {
  let time = 0;
  let checks = 0;
  let fault: Error | undefined;
  const check = remembered(
    async () => {
      checks += 1;
      await Promise.resolve();
      if (fault) throw fault;
    },
    (error) => (error === undefined ? 1_000 : 0),
    () => time,
  );
  await Promise.all([check.require(), check.require()]);
  time = 999;
  await check.require();
  expect(checks).toBe(1);
  fault = new Error('gone');
  time = 1_000;
  for (let count = 0; count < 2; count += 1) await expect(check.require()).rejects.toThrow('gone');
  expect(checks).toBe(3);
  fault = undefined;
  await check.require();
  check.forget();
  await check.require();
  expect(checks).toBe(5);
});
