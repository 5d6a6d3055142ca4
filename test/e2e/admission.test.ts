import { expect, test } from 'vitest';
import { ulid } from 'ulid';
import { acceptedSchema, runsSchema } from '../../api/answers.ts';
import { previewSchema } from '../../api/plan-answers.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { runProgram } from '../../sandbox/run-program.ts';
import { failureOf } from '../control/support.ts';
import { worldOf } from './objects.ts';
import { movePlace, type Move } from './place.ts';

const place = movePlace();

/** `temporal workflow start`, as somebody does it who goes around the API; the command waits for the result and fails with it. */
async function startByHand(move: Move, workflowId: string, input: unknown): Promise<string> {
  const { address, program } = move.sandbox.temporal;
  const started = runProgram({
    command: program,
    args: [
      'workflow',
      'execute',
      '--address',
      address,
      '--type',
      'migrationCutover',
      '--task-queue',
      'steadyhand',
      '--workflow-id',
      workflowId,
      '--input',
      JSON.stringify(input),
    ],
    environment: { ...sandboxConfiguration().environment, ...move.sandbox.environment },
    timeoutMs: 30_000,
  });
  return await started.then(
    () => 'it went through',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

test('temporal workflow start without a request row, or with an input that is not the one requested, is refused by admission', async () => {
  const move = await place.begin();
  const source = await move.connect('source');
  const before = await worldOf(source);
  const workflowId = `migration-cutover/${move.database}/${ulid()}`;
  const input = { target: `${move.database}-18`, schema: 'already-there' };
  expect(await startByHand(move, workflowId, { request: 'nobody', input })).toContain('has recorded no request');
  expect(await startByHand(move, `${workflowId.slice(0, -1)}0`, { input: 'nonsense' })).toContain('without the id of a request');
  const run = await move.request();
  const { runs } = await move.as('ada').get(`/v1/runs?database=${move.database}`, runsSchema);
  expect(runs.map((one) => one.run)).toEqual([run]);
  expect(await worldOf(source)).toEqual(before);
});

test('what the API refuses leaves nothing behind', async () => {
  const move = await place.begin({ workers: 0 });
  const ask = async (body: object, person = 'ada'): Promise<unknown> =>
    await move
      .as(person)
      .post('/v1/runs', { runbook: 'migration-cutover', database: move.database, ...body }, acceptedSchema, { 'Idempotency-Key': ulid() });
  const wrong = await failureOf('input-invalid', ask({ input: { target: `${move.database}-18`, lagBytes: 1, extra: true } }));
  expect(wrong.facts['problems']).toMatchObject([
    { path: expect.stringContaining('lagBytes') },
    { message: expect.stringContaining('extra') },
  ]);
  for (const [target, says] of [
    [move.database, `input.target: is the database itself, ${move.database}`],
    ['nowhere', 'input.target: there is no database "nowhere" in the inventory; it has: '],
    [`x'; DROP DATABASE "orders" --`, `there is no database "x'; DROP DATABASE "orders" --"`],
  ] as const) {
    const asked = { runbook: 'migration-cutover', database: move.database, input: { target } };
    const routes = [ask(asked), move.as('ada').post('/v1/plans', asked, previewSchema)];
    for (const refused of await Promise.all(routes.map(async (route) => await failureOf('input-invalid', route))))
      expect(refused.message).toContain(says);
  }
  await failureOf('forbidden', ask({ input: { target: `${move.database}-18` } }, 'edgar'));
  await failureOf('not-found', ask({ database: 'nowhere', input: { target: 'x' } }));
  const { runs } = await move.as('ada').get(`/v1/runs?database=${move.database}`, runsSchema);
  expect(runs).toEqual([]);
});
