import { z } from 'zod';
import type { Failure } from '../domain/failure.ts';
import { redact } from '../domain/redaction.ts';
import { plain } from './plain.ts';

const problems = z.array(z.object({ path: z.string(), message: z.string() }));
const aside = new Set(['problems', 'because']);

/** A failure for a person: what and where, every problem and fact, and what to do now. */
export function failureText(failure: Failure): string {
  const listed = problems.safeParse(failure.facts['problems']);
  // A message that has its list in it already has several lines.
  const each = listed.success && !failure.message.includes('\n') ? listed.data : [];
  const facts = Object.entries(failure.facts).filter(([name]) => !aside.has(name));
  const told = [
    `steadyhand: ${failure.message}`,
    ...(each.length > 1 ? each.map((one) => `  - ${one.path}: ${one.message}`) : []),
    ...facts.map(([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
  ].join('\n');
  return `${plain(redact(told))}\n  code: ${failure.code}\n  do: ${failure.hint}\n`;
}
