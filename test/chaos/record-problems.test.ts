import { expect, test } from 'vitest';
import { anna, aRun, controlPlace } from '../control/support.ts';
import { recordProblems } from './record-problems.ts';

const place = controlPlace();
const made = { kind: 'attempt.settled', actor: anna, data: { key: 'orders/copy/1', outcome: 'made' } } as const;

test('chaos finds nothing where all is as it must be', async () => {
  const { control, database } = await place.fresh();
  const run = await aRun(control);
  await control.events.append({ ...made, run });
  await control.lease.take('orders', run, () => Promise.resolve(true));
  await control.runs.close(run, { outcome: 'succeeded', free: true });
  expect(await recordProblems(await place.client(database), { runs: 1, accepted: [] })).toEqual([]);
});

test('chaos finds each thing that must not be', async () => {
  const { control, database } = await place.fresh();
  const run = await aRun(control);
  await aRun(control);
  for (const _ of [1, 2]) await control.events.append({ ...made, run });
  await control.lease.take('orders', run, () => Promise.resolve(true));
  const superuser = await place.client(database);
  await superuser.query(
    `INSERT INTO steadyhand.decisions (id, run, approval, opening, digest, choice, person, groups, channel)
     VALUES ('unjudged', $1, 'agree', 1, 'd', 'approve', 'anna', '[]', 'http')`,
    [run],
  );
  expect(await recordProblems(superuser, { runs: 1, accepted: ['unjudged', 'gone'] })).toEqual([
    'orders has 2 runs, asked for once',
    '2 runs instead of 1',
    'the decision unjudged was never judged',
    'the decision gone is lost',
    'orders/copy/1 was made 2 times',
    `the lease of orders is held (${run})`,
  ]);
});
