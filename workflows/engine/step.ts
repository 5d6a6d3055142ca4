import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { parkedChoices, type ParkedChoice } from '../../domain/decision.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { OutlineStep } from '../../domain/plan.ts';
import { ask, engine } from './decision.ts';
import { Ending } from './ending.ts';
import { reportOf } from './failure.ts';
import { lineOf, show, type RunMemory, type StepStanding } from './state.ts';
import { takeBack } from './undo.ts';
import { call, type Verb } from './work.ts';

export interface StepOptions<Input> {
  /** Takes the change back; every `change` that leaves something behind names one. */
  readonly undo?: Verb<Input, unknown>;
}

/**
 * One step of the plan. Passed over when the plan says that it does not apply. When it fails it parks the run, and people
 * decide; it returns when it is done (or skipped, or marked done: then without a result).
 */
export async function step<Input, Result>(
  memory: RunMemory,
  id: string,
  verb: Verb<Input, Result>,
  input: Input,
  options: StepOptions<Input>,
): Promise<Result | undefined> {
  const line = lineOf(memory, id);
  const standing = memory.steps.get(id) ?? { state: 'pending', generation: 1 };
  memory.steps.set(id, standing);
  if (!line.applies) {
    standing.state = 'absent';
    return undefined;
  }
  if (line.kind === 'change') await beginChange(memory);
  for (;;) {
    endIfCancelled(memory);
    try {
      return await attempt(memory, line, standing, verb, input, options);
    } catch (error) {
      if (error instanceof Ending) throw error;
      await afterFailure(memory, line, standing, error);
      if (standing.state === 'skipped' || standing.state === 'marked-done') return undefined;
    }
  }
}

async function beginChange(memory: RunMemory): Promise<void> {
  if (!memory.lease) {
    await call(engine.takeLease, { database: memory.admission?.database ?? '' }, undefined, 'takes the lease');
    memory.lease = true;
  }
  memory.changed = true;
}

async function attempt<Input, Result>(
  memory: RunMemory,
  line: OutlineStep,
  standing: StepStanding,
  verb: Verb<Input, Result>,
  input: Input,
  { undo }: StepOptions<Input>,
): Promise<Result> {
  const { generation } = standing;
  if (undo && !memory.undos.some((one) => one.step === line.id)) {
    // The stack holds undos of many inputs; each is called with the input that it was registered with.
    memory.undos.push({ step: line.id, title: line.title, generation, verb: undo as Verb<never, unknown>, input });
  }
  standing.state = 'running';
  delete memory.failure;
  show(memory, 'running');
  const scope = new CancellationScope({ cancellable: true });
  memory.scope = scope;
  if (memory.cancelled !== undefined && !memory.pastNoReturn) scope.cancel();
  try {
    const result = await scope.run(() => call(verb, input, { step: line.id, generation, undo: false }, line.title));
    standing.state = 'done';
    if (line.pointOfNoReturn) passNoReturn(memory);
    return result;
  } finally {
    delete memory.scope;
  }
}

function passNoReturn(memory: RunMemory): void {
  memory.pastNoReturn = true;
  memory.undos = [];
  delete memory.cancelled;
}

/** A cancel is heard between steps, too. */
export function endIfCancelled(memory: RunMemory): void {
  if (memory.cancelled !== undefined && !memory.pastNoReturn) throw new Ending('go-back', `cancelled by ${memory.cancelled}`);
}

async function afterFailure(memory: RunMemory, line: OutlineStep, standing: StepStanding, error: unknown): Promise<void> {
  if (line.pointOfNoReturn && (await call(engine.pastNoReturn, undefined))) passNoReturn(memory);
  if (isCancellation(error)) {
    endIfCancelled(memory);
    if (memory.pastNoReturn) return;
  }
  const failure = reportOf(error);
  standing.state = 'failed';
  if (!memory.changed) {
    // Before any change there is nothing to decide about: the run is refused, with the reason.
    await call(engine.record, { steps: [{ id: line.id, state: 'failed', generation: standing.generation, failure }] });
    memory.failure = failure;
    throw new Ending('go-back', failure.message);
  }
  await parked(memory, line, standing, failure);
}

async function parked(memory: RunMemory, line: OutlineStep, standing: StepStanding, failure: FailureReport): Promise<void> {
  memory.failure = failure;
  const { answer, close } = await ask(memory, {
    approval: line.id,
    kind: 'parked',
    generation: standing.generation,
    digest: memory.outline?.digest ?? '',
    choices: choicesFor(memory, line, failure),
    failure,
  });
  delete memory.failure;
  switch (answer) {
    case 'skip':
    case 'mark-done': {
      standing.state = answer === 'skip' ? 'skipped' : 'marked-done';
      await close('running', standing.state);
      if (answer === 'mark-done' && line.pointOfNoReturn) passNoReturn(memory);
      return;
    }
    case 'start-again': {
      await close('running', 'undoing');
      await startAgain(memory, line, standing);
      return;
    }
    case 'abort':
      await close('running');
      throw new Ending('abort', `aborted by a person after "${line.title}" failed: ${failure.message}`);
    case 'roll-back':
    case 'cancel':
      await close('rolling-back');
      throw new Ending('go-back', `"${line.title}" failed: ${failure.message}`);
    default:
      await close('running', 'running');
  }
}

async function startAgain(memory: RunMemory, line: OutlineStep, standing: StepStanding): Promise<void> {
  const undo = memory.undos.find((one) => one.step === line.id);
  if (undo) {
    const problem = await takeBack(undo);
    if (problem !== undefined) {
      await parked(memory, line, standing, problem);
      return;
    }
    memory.undos = memory.undos.filter((one) => one !== undo);
  }
  standing.generation += 1;
}

function choicesFor(memory: RunMemory, line: OutlineStep, failure: FailureReport): ParkedChoice[] {
  return parkedChoices.filter((choice) => {
    if (choice === 'skip') return line.skippable;
    if (choice === 'mark-done') return failure.code === 'uncertain';
    if (choice === 'roll-back' || choice === 'start-again') return !memory.pastNoReturn;
    return true;
  });
}
