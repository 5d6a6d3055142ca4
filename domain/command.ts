/**
 * One thing that a step does to the outside world, exactly as it is done. Values that are known only at run time, and secrets,
 * stand in it as psql variables: `:'name'` a quoted literal, `:"name"` a quoted identifier, `:name` as it is.
 */
export interface Command {
  /** Where: the server or pooler by its part in the run, or the machine of the worker. */
  readonly on: 'source' | 'target' | 'pooler' | 'worker';
  readonly kind: 'sql' | 'pgbouncer' | 'shell' | 'file';
  readonly text: string;
  /** The condition, in words, when it is not always executed; or for what it is executed several times. */
  readonly when?: string;
}

export type Values = Readonly<Record<string, string | number | boolean>>;

/** A variable, or a quoted literal or identifier of the plan's own (`'a:b'`, `"a:b"`), which is left as it is. */
const variableOrQuoted = /(?<!:):(?:'(\w+)'|"(\w+)"|([a-z]\w*))|'(?:[^']|'')*'|"(?:[^"]|"")*"/g;

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
export function fill(text: string, values: Values): string {
  return text.replace(variableOrQuoted, (whole, literal?: string, identifier?: string, raw?: string) => {
    const name = literal ?? identifier ?? raw;
    if (name === undefined) return whole;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new Error(`the command needs a value for :${name}`);
    if (literal !== undefined) return quoteLiteral(String(value));
    return identifier === undefined ? String(value) : quoteIdentifier(String(value));
  });
}

/** The names of the variables that stand in the text. */
export function variablesOf(text: string): string[] {
  const names = [...text.matchAll(variableOrQuoted)].map((match) => match[1] ?? match[2] ?? match[3]);
  return [...new Set(names.filter((name) => name !== undefined))];
}
