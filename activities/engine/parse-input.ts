import { Failure } from '../../domain/failure.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';

/** The parsed input, with its defaults. Throws `input-invalid` with every problem and its path. */
export function parseInput(runbook: AnyRunbook, input: unknown): Readonly<Record<string, unknown>> {
  const parsed = runbook.input.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message }));
  const list = problems.map((one) => `${one.path || 'input'}: ${one.message}`).join('; ');
  throw new Failure('input-invalid', `the input of ${runbook.name}: ${list}`, { problems });
}
