import { addressSecrets } from './redaction/addresses.ts';
import { namedSecrets, optionSecrets } from './redaction/named.ts';
import type { Finder, Reading } from './redaction/place.ts';
import { privateKeys, tokens } from './redaction/tokens.ts';

const finders: readonly Finder[] = [namedSecrets, optionSecrets, addressSecrets, tokens, privateKeys];

/**
 * The text with `***` for passwords, tokens, keys and verifiers; for texts from outside, which can carry a connection string. Its time
 * grows with the length of the text, whatever is in it. Texts that people or servers send at any length go through `redactExcerpt`.
 */
export function redact(text: string): string {
  return redacted(text, { cut: false });
}

/** Characters before a cut that may belong to a secret which the cut made unrecognisable. */
const doubtful = 256;

/**
 * The beginning of a text from outside, redacted, at most `atMost` characters of it and a `…`. It is cut before it is redacted, so a
 * long text costs no more than a short one. The word that the cut goes through is left out: half of a secret looks like none.
 */
export function redactExcerpt(text: string, atMost: number): string {
  if (text.length <= atMost) return redact(text);
  const head = text.slice(0, atMost);
  const lastBlank = head.search(/\s\S{0,256}$/);
  const certain = lastBlank >= 0 ? head.slice(0, lastBlank + 1) : head.slice(0, Math.max(0, atMost - doubtful));
  return `${redacted(certain, { cut: true }).slice(0, atMost).toWellFormed()}…`;
}

/** Characters at the end of a program's output that its last lines are taken from. */
const outputLength = 64_000;
const linesLength = 8_000;

/** The last lines of a program's output, redacted. What stands before them is looked at too: a secret may begin there. */
export function redactLastLines(output: string, count: number): string {
  // From the beginning of a line: half of a line may have lost what shows that it has a secret.
  const before = output.indexOf('\n', Math.max(0, output.length - outputLength));
  const tail = output.length <= outputLength || before < 0 ? output : output.slice(before + 1);
  const lines = redact(tail.trim()).split('\n').slice(-count).join('\n');
  return lines.length <= linesLength ? lines : `…${lines.slice(-linesLength).toWellFormed()}`;
}

function redacted(text: string, how: Reading): string {
  const places = finders.flatMap((find) => [...find(text, how)]).toSorted((a, b) => a.from - b.from);
  let shown = '';
  let end = 0;
  // A place may begin inside another: a quote that is never closed reaches up to the one that opens the next value.
  for (const { from, to } of places) {
    if (from >= end) shown += `${text.slice(end, from)}***`;
    end = Math.max(end, to);
  }
  return shown + text.slice(end);
}
