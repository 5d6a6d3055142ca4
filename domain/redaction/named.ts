import type { Finder, Place } from './place.ts';
import { valuesOf, type Values } from './values.ts';

/** What a setting, a field, an option or a variable with a secret in it is called, at the end of its name. */
const secretWord =
  /(?:passw(?:or)?d|passphrase|(?<![a-z])pass|pwd|secret|token|(?:api|access|private|signing|encryption)[_-]?key)(?:[_-]?(?:access[_-]?key|key|hash|value|string|binary|text|\d{1,3}))?(?![a-z0-9_])/gi;

/** What may stand between the name and the value. */
const between = {
  // `password=…`, `"password":"…"`, `password => …`, `password := …`, `password%3D…`; a cast of SQL's is none.
  assignment: /(?:\\*["'`]){0,8}\]?\s*(?::=|={1,3}>?|:(?!:)|%(?:25){0,3}3[AD])\s*/iy,
  // `{"name":"PGPASSWORD","value":"…"}`.
  pair: /(?:\\*["'`]){0,8}\s*(?:,\s*)?(?:\\*["'`]){0,8}value(?:\\*["'`]){0,8}\s*[=:]\s*/iy,
  // `set_config('app.password', '…')`, `["--password","…"]`.
  argument: /(?:\\*["']){1,8}\s*,\s*(?=\\*["'])/y,
  blanks: /\s+/y,
  tag: />/y,
} as const;

/** What a text says in place of a secret: a parameter of a statement, or that there is none. */
const noSecret =
  /(?:\$\d{1,3}|["'`]?(?:…|\*\*\*)["'`]?|none|null|nil|undefined|true|false|missing|unknown|required)(?=[\s.,;:)\]}"'`]|$)/iy;

/** Values that stand beside a name which shows that they are secret. */
export const namedSecrets: Finder = function* (text, { cut }) {
  const values = valuesOf(text);
  for (const { 0: word, index } of text.matchAll(secretWord)) {
    const place = placeAfter(text, { word, index, cut }, values);
    if (place && place.to > place.from && endAt(noSecret, text, place.from) === undefined) yield place;
  }
};

interface Name {
  readonly word: string;
  readonly index: number;
  readonly cut: boolean;
}

function placeAfter(text: string, name: Name, values: Values): Place | undefined {
  const { word, index } = name;
  const end = index + word.length;
  const after = (pattern: RegExp): number | undefined => endAt(pattern, text, end);
  const assigned = after(between.assignment) ?? after(between.pair) ?? argument(text, index, after(between.argument));
  if (assigned !== undefined) return assignedPlace(text, { index, end, from: assigned }, values);
  const element = after(between.tag);
  if (element !== undefined) return elementPlace(text, { ...name, from: element }, values);
  const blanks = after(between.blanks);
  return blanks === undefined ? undefined : placeAfterBlanks(text, { word, index, from: blanks }, values);
}

function assignedPlace(
  text: string,
  { index, end, from }: { index: number; end: number; from: number },
  values: Values,
): Place | undefined {
  const sign = before(text, index);
  if (sign === '?' || sign === '&') return { from, to: values.parameterEnd(from) };
  const separator = text.slice(end, from);
  // A part of an ARN, `:secret:name`; and a variable of psql, `PASSWORD :'name'`.
  if (separator === ':' && sign === ':') return undefined;
  if (/^\s+:$/.test(separator) && /["'\w]/.test(text.charAt(from))) return undefined;
  return { from, to: values.endOf(from) };
}

/** `<password>…</password>`. */
function elementPlace(
  text: string,
  { index, from, cut }: { index: number; from: number; cut: boolean },
  values: Values,
): Place | undefined {
  if (before(text, index) !== '<') return undefined;
  const to = values.elementEnd(from);
  return text.startsWith('</', to) || (cut && to === text.length) ? { from, to } : undefined;
}

const singleQuote = /\\*'/y;

/** Names in double quotes are columns, unless they are options. */
function argument(text: string, index: number, at: number | undefined): number | undefined {
  return at !== undefined && (endAt(singleQuote, text, at) !== undefined || isOption(text, index)) ? at : undefined;
}

/** `--password X`, and `PASSWORD '…'` as SQL has it. The words after a plain "password" stay. */
function placeAfterBlanks(
  text: string,
  { word, index, from }: { word: string; index: number; from: number },
  values: Values,
): Place | undefined {
  if (isOption(text, index)) return text.charAt(from) === '-' ? undefined : { from, to: values.endOf(from) };
  if (!/^password$/i.test(word)) return undefined;
  const to = values.quotedEnd(from);
  return to === undefined ? undefined : { from, to };
}

function endAt(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** The character before the whole name. */
function before(text: string, index: number): string {
  return text.charAt(startOfName(text, index) - 1);
}

function isOption(text: string, index: number): boolean {
  return text.charAt(startOfName(text, index)) === '-';
}

function startOfName(text: string, index: number): number {
  let at = index;
  while (at > 0 && /[\w-]/.test(text.charAt(at - 1))) at -= 1;
  return at;
}

/** `-W X` of the clients of PostgreSQL and LDAP, and as a list of arguments. */
const shortOption = /(?<![\w-])-W(?:\s+|\\*["']\s*,\s*)(?!-)/g;

export const optionSecrets: Finder = function* (text) {
  const values = valuesOf(text);
  for (const { 0: option, index } of text.matchAll(shortOption)) {
    const from = index + option.length;
    yield { from, to: values.endOf(from) };
  }
};
