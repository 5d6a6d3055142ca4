import { variablesOf, type Command } from '../../domain/command.ts';
import { tagOf } from '../../domain/run.ts';
import { patternOf } from '../support/executed.ts';
import { callText, saidBy } from '../support/providers/as-planned.ts';

/** Stands for a value that only the step knows, and in no command. */
const unknown = 'ANY-VALUE';

/** A command of the plan as what was executed is held against it: in a call the run's own names stand filled in, options in order. */
export function plannedPattern(command: Command, run: string): RegExp {
  if (command.kind !== 'api') return patternOf(command.text);
  const own: Record<string, string> = { tag: tagOf(run).replace('_', '-'), run };
  const values = Object.fromEntries(variablesOf(command).map((name) => [name, own[name] ?? unknown]));
  const text = callText(saidBy(command, values)).replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${text.replaceAll(unknown, String.raw`\S+`)}$`);
}
