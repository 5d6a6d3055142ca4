import type { FailureReport } from '../../domain/failure.ts';
import { reportOf } from './failure.ts';
import { show, standingOf, stopSteps, stretch, type RunMemory, type Undo } from './state.ts';
import { call, engine } from './work.ts';

/** Takes one step back; returns what went wrong, if anything did. */
export async function takeBack(undo: Undo): Promise<FailureReport | undefined> {
  try {
    // Registered with the input of this very verb.
    await call(undo.verb, undo.input as never, { step: undo.step, generation: undo.generation, undo: true }, `undo: ${undo.title}`);
    return undefined;
  } catch (error) {
    return reportOf(error);
  }
}

/**
 * Takes back the steps from `from` to `to`, the last one first. At an undo that fails it stops and returns what went wrong: that
 * one and those before it stay registered.
 */
export async function takeBackFrom(memory: RunMemory, from: string, to: string): Promise<FailureReport | undefined> {
  const steps = stretch(memory, from, to);
  for (const undo of memory.undos.filter((one) => steps.includes(one.step)).toReversed()) {
    const problem = await takeBack(undo);
    if (problem) return problem;
    memory.undos = memory.undos.filter((one) => one !== undo);
    standingOf(memory, undo.step).state = 'undone';
    show(memory);
  }
  return undefined;
}

/**
 * Runs the undos in reverse. One that fails is reported loudly, and the rest still run. Returns a line for each thing that is
 * left behind.
 */
export async function goBack(memory: RunMemory): Promise<string[]> {
  const left: string[] = [];
  await call(engine.record, { state: 'rolling-back', steps: stopSteps(memory) });
  show(memory, 'rolling-back');
  while (memory.undos.length > 0) {
    const undo = memory.undos.pop();
    if (!undo) break;
    const standing = memory.steps.get(undo.step);
    const problem = await takeBack(undo);
    if (problem !== undefined) {
      left.push(`${undo.title}: ${problem.message}`);
      await call(engine.record, { steps: [{ id: undo.step, state: 'undo-failed', generation: undo.generation, failure: problem }] });
    }
    if (standing) standing.state = problem === undefined ? 'undone' : 'undo-failed';
    show(memory);
  }
  return left;
}
