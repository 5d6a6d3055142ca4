import { byText, parkedChoices, type DecidedBy, type ParkedChoice } from '../../domain/decision.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { OutlineStep } from '../../domain/plan.ts';
import { ask } from './decision.ts';
import { Ending, report } from './failure.ts';
import { lineOf, standingOf, stretch, type Pending, type RunMemory } from './state.ts';
import { takeBackFrom } from './undo.ts';
import { call, engine } from './work.ts';

/** Not where it is unknown whether the run has passed its point of no return: then nobody may touch traffic. */
export function isTakenBack(memory: RunMemory, line: OutlineStep, { code }: FailureReport): boolean {
  return !memory.pastNoReturn && !(line.pointOfNoReturn && code === 'uncertain');
}

/** Traffic was held up from `from` on: it flows as before again, and then people are asked. An undo that fails is told with it. */
export async function serviceFirst(memory: RunMemory, line: OutlineStep, failure: FailureReport, from: string): Promise<void> {
  standingOf(memory, line.id).state = 'undoing';
  const problem = await takeBackFrom(memory, from, line.id);
  const told = problem
    ? report(problem.code, `${failure.message}; and it could not be taken back: ${problem.message}`, problem.facts)
    : { ...failure, message: `${failure.message}; traffic is as it was before "${lineOf(memory, from).title}"` };
  await parked(memory, line, told, { redo: from, choices: backwards });
}

interface Offer {
  /** Where "start again" begins; with the step itself when it is undefined. */
  readonly redo?: string | undefined;
  readonly choices?: readonly ParkedChoice[];
  /** The run is not continued as new meanwhile: no step of the story would ask this again. */
  readonly stays?: boolean;
}

/** Asks people what is to be done about a failure; returns when the step is to be tried again, or is settled by their word. */
export async function parked(
  memory: RunMemory,
  line: OutlineStep,
  failure: FailureReport,
  { redo, choices, stays = false }: Offer = {},
): Promise<void> {
  const standing = standingOf(memory, line.id);
  standing.state = 'failed';
  const offered = choices ?? choicesFor(memory, line, failure, redo);
  // Whoever is asked must see how far "start again" goes.
  const asked = redo === undefined ? failure : { ...failure, facts: { ...failure.facts, againFrom: redo } };
  memory.failure = asked;
  const offer = { ...(redo === undefined ? {} : { redo }), ...(choices ? { choices } : {}) };
  const again: Pending | undefined = stays ? undefined : { kind: 'parked', step: line.id, failure, ...offer };
  const { answer, by, close } = await ask(
    memory,
    {
      approval: line.id,
      kind: 'parked',
      generation: standing.generation,
      digest: memory.outline?.digest ?? '',
      choices: offered.filter((choice) => !memory.pastNoReturn || forward.includes(choice)),
      failure: asked,
    },
    again ? { again } : {},
  );
  const said = `"${line.title}" failed: ${failure.message}`;
  switch (answer) {
    case 'skip':
    case 'mark-done':
      standing.state = answer === 'skip' ? 'skipped' : 'marked-done';
      await close('running', standing.state);
      return;
    case 'start-again':
      await close('running', 'undoing');
      await startAgain(memory, line, redo);
      return;
    case 'abort':
      await close('running');
      throw new Ending('abort', `${said}; aborted by ${who(by)}`);
    case 'cancel':
      await close('rolling-back');
      throw new Ending('go-back', `${said}; cancelled by ${who(memory.cancelled)}`);
    case 'roll-back':
      await close('rolling-back');
      throw new Ending('go-back', `${said}; rolled back by ${who(by)}`);
    case 'retry':
    case 'approve':
    case 'reject':
    case 'withdraw':
    case 'expired':
      // The last four are answers to approvals: never to this question.
      await close('running', 'running');
  }
}

function who(by: DecidedBy | undefined): string {
  return by ? byText(by) : 'a person';
}

/**
 * Takes back the step (from `redo` on, when it names an earlier one) and begins the next generation. An undo that fails is asked
 * about: retry goes on with what is there, where that was the step's own undo.
 */
export async function startAgain(memory: RunMemory, line: OutlineStep, redo?: string): Promise<void> {
  const from = redo ?? line.id;
  const problem = await takeBackFrom(memory, from, line.id);
  if (problem) {
    const failure = report(problem.code, `it could not be taken back: ${problem.message}`, problem.facts);
    const choices = redo === undefined ? choicesFor(memory, line, failure).filter((choice) => choice !== 'mark-done') : backwards;
    await parked(memory, line, failure, { redo, choices });
    return;
  }
  const again = stretch(memory, from, line.id).map((id) => {
    const standing = standingOf(memory, id);
    const row = { id, state: 'pending', generation: standing.generation } as const;
    memory.results.delete(id);
    standing.state = 'pending';
    standing.generation += 1;
    delete standing.began;
    delete standing.done;
    return row;
  });
  if (redo === undefined) return;
  await call(engine.record, { state: 'running', steps: again });
  throw new Ending('again', `begins again with "${lineOf(memory, from).title}"`);
}

/** What goes on past the point of no return. */
const forward: readonly ParkedChoice[] = ['retry', 'skip', 'mark-done', 'abort'];

/** What is left when an earlier step is taken back by half: nothing that needs what it had made. */
const backwards: readonly ParkedChoice[] = ['start-again', 'roll-back', 'abort'];

function choicesFor(memory: RunMemory, line: OutlineStep, failure: FailureReport, redo?: string): ParkedChoice[] {
  if (line.kind === 'approval') return ['retry', 'roll-back', 'abort'];
  const can: Partial<Record<ParkedChoice, boolean>> = {
    skip: line.skippable,
    // What looks leaves nothing that a person could have seen, and later steps need what it found. The point of no return is
    // passed by its own record alone: nobody can say that it was.
    'mark-done': failure.code === 'uncertain' && line.kind === 'change' && !line.pointOfNoReturn,
    // What has no undo can only be tried again: that is a retry.
    'start-again': redo !== undefined || memory.undos.some((one) => one.step === line.id),
  };
  return parkedChoices.filter((choice) => can[choice] ?? true);
}
