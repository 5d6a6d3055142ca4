import type { RunResult, RunStart } from '../../domain/run.ts';
import { follow, type Run } from '../../workflows/engine/run.ts';
import { verbs, type Verb } from '../../workflows/engine/work.ts';
import { measuredWork, type MeasuredActivities } from './contract.ts';

const measured = verbs<MeasuredActivities>('bench', measuredWork);

type Told = Run<string, undefined>;

async function told(name: string, start: RunStart, story: (run: Told) => Promise<void>): Promise<RunResult> {
  return await follow<string, undefined>(name, start, () => undefined, story);
}

function numbered(name: string, count: number, verb: Verb<undefined, unknown>, undo?: Verb<undefined, unknown>) {
  return async (start: RunStart): Promise<RunResult> =>
    await told(name, start, async (run) => {
      for (let place = 1; place <= count; place += 1) await run.step(`step-${place}`, verb, undo ? { undo } : {});
    });
}

export const changes10 = numbered('changes-10', 10, measured.make, measured.unmake);
export const changes20 = numbered('changes-20', 20, measured.make, measured.unmake);
export const checks10 = numbered('checks-10', 10, measured.look);
export const checks20 = numbered('checks-20', 20, measured.look);
export const quick = numbered('quick', 1, measured.look);
export const waiting = numbered('waiting', 1, measured.await);

export async function asking(start: RunStart): Promise<RunResult> {
  return await told('asking', start, async (run) => {
    await run.approval('agree');
    await run.step('step-1', measured.make, { undo: measured.unmake });
  });
}
