import { z } from 'zod';
import type { Failure, FailureCode } from '../domain/failure.ts';
import { redact } from '../domain/redaction.ts';
import { plain } from './plain.ts';

const problems = z.array(z.object({ path: z.string(), message: z.string() }));
const variables = z.array(z.object({ variable: z.string() })).min(1);
const aside = new Set(['problems', 'because']);

/** The table of failures speaks to everybody; these are told in the words of the command line. */
const hints: Partial<Record<FailureCode, string>> = {
  'body-invalid': 'Correct what is named and ask again; --help after the command says what it takes.',
  'configuration-invalid': 'Correct what is named, and start the command again.',
  'control-database-unavailable': 'Bring the control database back, or correct where it is and its password. Runs go on by themselves.',
  unauthenticated:
    'Give a token by --as <file>, STEADYHAND_TOKEN_FILE or STEADYHAND_TOKEN. An administrator makes one with `steadyhand token create`.',
};

/** A failure for a person: what and where, every problem and fact, and what to do now. */
export function failureText(failure: Failure): string {
  const { head, each } = headOf(failure);
  const facts = Object.entries(failure.facts).filter(
    ([name, value]) => value !== null && !aside.has(name) && !isTold(failure.message, value),
  );
  const told = [
    `steadyhand: ${head}`,
    ...each,
    ...facts.map(([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
  ].join('\n');
  return `${plain(redact(told))}\n  code: ${failure.code}\n  do: ${hintOf(failure)}\n`;
}

/** Several problems stand below each other, unless the message has them in lines of its own. */
function headOf({ facts, message }: Failure): { head: string; each: string[] } {
  const listed = problems.safeParse(facts['problems']);
  if (!listed.success || listed.data.length < 2 || message.includes('\n')) return { head: message, each: [] };
  const [first] = listed.data;
  const begins = message.indexOf(first === undefined ? '' : `${first.path}: ${first.message}`);
  return {
    head: begins > 0 ? message.slice(0, begins).trim() : message,
    each: listed.data.map((one) => `  - ${one.path === '' ? '' : `${one.path}: `}${one.message}`),
  };
}

/** A fact that the message has already is not told twice. */
function isTold(message: string, value: unknown): boolean {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  return parts.every((part) => (typeof part === 'string' || typeof part === 'number') && message.includes(String(part)));
}

function hintOf(failure: Failure): string {
  if (failure.code === 'configuration-invalid' && variables.safeParse(failure.facts['problems']).success)
    return 'Set these variables as docs/cli.md says; a sandbox has them in the file `environment` of its folder.';
  if (failure.code === 'internal' && failure.facts['request'] === undefined)
    return 'This is a defect of Steadyhand, not of what you did: report it with this text.';
  return hints[failure.code] ?? failure.hint;
}
