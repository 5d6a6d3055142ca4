import { expect, test } from 'vitest';
import { judgedSchema } from '../../../api/answers.ts';
import type { RunDetail } from '../../../control/contract.ts';
import { eventually } from '../../support/eventually.ts';
import type { Trap } from '../../support/tap.ts';
import { movePlace, pooled, type Move } from '../../e2e/place.ts';

const place = movePlace();

interface Standing {
  readonly approval: string;
  readonly trap: Pick<Trap, 'statement' | 'when'>;
}

/** Where the worker stands still: inside of a step, with something said to a server that is not done, or not committed. */
const places: Readonly<Record<string, Standing>> = {
  'with a publication that is not committed': {
    approval: 'approve-prepare',
    trap: { statement: /CREATE PUBLICATION/, when: 'answered' },
  },
};

test.each(Object.entries(places))(
  'a worker is frozen (SIGSTOP) %s, and wakes up when the run was cancelled and rolled back: nothing of it comes after',
  async (_, { approval, trap }) => {
    const move = await place.begin({ workers: 2 });
    const writers = move.load();
    const run = await move.request();
    if (approval === 'approve-switch') await move.agree(run, 'approve-prepare');
    await move.until(run, (now) => now.questions.some((one) => one.approval === approval));
    let slept: Awaited<ReturnType<Move['freezeTheWorker']>> | undefined;
    let closed: RunDetail | undefined;
    const woken = move.taps.source.set({
      ...trap,
      spring: async () => {
        slept = await move.freezeTheWorker(run);
        try {
          await move.as('ada').post(`/v1/runs/${run.split('/').at(-1)}/cancel`, { reason: 'a test' }, judgedSchema);
          closed = await move.until(run, (now) => now.state === 'closed', 60_000);
        } finally {
          slept.wake();
        }
      },
    });
    await move.agree(run, approval);
    await woken;
    // When it has ended, it has said what it had to say.
    await slept?.end();
    expect(closed).toMatchObject({ outcome: 'rolled-back', left: [] });

    const source = await move.connect('source');
    const { rows } = await source.query(`
      SELECT datconnlimit AS limit, (SELECT count(*)::int FROM pg_publication) AS publications, to_regnamespace('steadyhand') AS schema
        FROM pg_database WHERE datname = current_database()`);
    expect(rows).toEqual([{ limit: -1, publications: 0, schema: null }]);
    const written = async (): Promise<number> => (await source.query('SELECT FROM probe')).rowCount ?? 0;
    const before = await written();
    await eventually(async () => (await written()) > before + 100 || undefined);
    if (pooled) expect((await writers.stop()).clientErrors).toEqual({});
  },
);
