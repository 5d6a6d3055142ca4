/**
 * One thing that a step does to the outside world, exactly as it is done. Values that are known only at run time, and secrets,
 * stand in it as psql variables: `:'name'` a quoted literal, `:"name"` a quoted identifier, `:name` as it is.
 */
export interface Command {
  /** Where: the server or pooler by its part in the run, the provider that runs the server, or the machine of the worker. */
  readonly on: 'source' | 'target' | 'live' | 'restored' | 'pooler' | 'provider' | 'worker';
  /** `api`: a call to a provider, as its own command line would make it. */
  readonly kind: 'sql' | 'pgbouncer' | 'shell' | 'file' | 'api';
  readonly text: string;
  /** The condition, in words, when it is not always executed; or for what it is executed several times. */
  readonly when?: string;
}

export type Values = Readonly<Record<string, string | number | boolean>>;

const variable = String.raw`(?<!:):(?:'(\w+)'|"(\w+)"|([a-z]\w*))`;
const quoted = String.raw`'(?:[^']|'')*'|"(?:[^"]|"")*"`;

/** A comment of SQL's may hold comments: as deep as anybody writes them. */
const comment = (depth: number): string => String.raw`\/\*(?:${depth === 0 ? '' : `${comment(depth - 1)}|`}[^*/]|\*(?!\/)|\/(?!\*))*\*\/`;
const sqlOnly = [String.raw`(?<![\w$])e'(?:[^'\\]|\\[\s\S]|'')*'`, String.raw`(?<![\w$])\$(\w*)\$[\s\S]*?\$\4\$`, '--[^\n]*', comment(3)];

/** psql's rules: no variable is filled in inside of quotes, dollar quotes and comments. A word of a shell has quotes alone. */
const rules: Readonly<Record<'sql' | 'words', RegExp>> = {
  sql: new RegExp([variable, ...sqlOnly, quoted].join('|'), 'gi'),
  words: new RegExp([variable, quoted].join('|'), 'g'),
};

const rulesOf = (kind: Command['kind']): RegExp => (kind === 'sql' || kind === 'pgbouncer' ? rules.sql : rules.words);

/** `a"b` → `"a""b"`. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal for `standard_conforming_strings = on`; with a backslash in it the E'' form, which is right with either. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return value.includes('\\') ? `E${quoted}` : quoted;
}

/** `schema.name`, both quoted. */
export function qualified(object: { schema: string; name: string }): string {
  return `${quoteIdentifier(object.schema)}.${quoteIdentifier(object.name)}`;
}

/** The command's text with its variables filled in. Throws when one is missing: a command never runs half filled. */
export function fill({ kind, text }: Pick<Command, 'kind' | 'text'>, values: Values): string {
  return text.replace(rulesOf(kind), (whole, literal?: string, identifier?: string, raw?: string) => {
    const name = literal ?? identifier ?? raw;
    if (name === undefined) return whole;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new Error(`the command needs a value for :${name}`);
    if (literal !== undefined) return quoteLiteral(String(value));
    return identifier === undefined ? String(value) : quoteIdentifier(String(value));
  });
}

/** The names of the variables that stand in the text. */
export function variablesOf({ kind, text }: Pick<Command, 'kind' | 'text'>): string[] {
  const names = [...text.matchAll(rulesOf(kind))].map((match) => match[1] ?? match[2] ?? match[3]);
  return [...new Set(names.filter((name) => name !== undefined))];
}
