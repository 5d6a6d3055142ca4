import { Failure } from '../../domain/failure.ts';
import { listedProblems } from '../../domain/listed-problems.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';

/** The parsed input, with its defaults. Throws `input-invalid` with every problem and its path. */
export function parseInput(runbook: AnyRunbook, input: unknown): Readonly<Record<string, unknown>> {
  const parsed = runbook.input.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const { problems, text } = listedProblems(parsed.error.issues, 'input');
  throw new Failure('input-invalid', `the input of ${runbook.name}: ${text}`, { problems });
}
