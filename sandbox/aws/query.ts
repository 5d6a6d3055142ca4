import { AwsError } from './aws-error.ts';

/** The parameters of a call in the Query protocol, where lists are numbered: `Tags.Tag.1.Key`. */
export interface Query {
  readonly action: string;
  /** As it was sent; an empty text counts as sent. */
  text(name: string): string | undefined;
  /** Throws AWS's `MissingParameter`. */
  required(name: string): string;
  flag(name: string): boolean | undefined;
  whole(name: string): number | undefined;
  time(name: string): Date | undefined;
  /** Texts of a list, undefined when none was sent. */
  texts(name: string): string[] | undefined;
  /** Structures of a list. */
  items(name: string): Query[];
  /** All of it, for the record of calls. */
  all(): Record<string, string>;
}

export function parseQuery(body: string): Query {
  return queryOf(new Map(new URLSearchParams(body)));
}

function queryOf(fields: ReadonlyMap<string, string>): Query {
  const text = (name: string): string | undefined => fields.get(name);
  return {
    action: fields.get('Action') ?? '',
    text,
    required: (name) => {
      const value = text(name);
      if (value === undefined || value === '') throw new AwsError('MissingParameter', `The request must contain the parameter ${name}.`);
      return value;
    },
    flag: (name) => parsed(name, text(name), (value) => ({ true: true, false: false })[value.toLowerCase()]),
    whole: (name) => parsed(name, text(name), (value) => (/^-?\d{1,9}$/.test(value) ? Number(value) : undefined)),
    time: (name) => parsed(name, text(name), moment),
    texts: (name) => {
      const found = numbered(fields, name).filter(({ rest }) => rest === '');
      return found.length === 0 ? undefined : found.map(({ value }) => value);
    },
    items: (name) => grouped(numbered(fields, name)).map(queryOf),
    all: () => Object.fromEntries(fields),
  };
}

function parsed<Value>(name: string, text: string | undefined, read: (text: string) => Value | undefined): Value | undefined {
  if (text === undefined) return undefined;
  const value = read(text);
  if (value === undefined) throw new AwsError('InvalidParameterValue', `Invalid value for ${name}: ${text}`);
  return value;
}

function moment(text: string): Date | undefined {
  // A zone must stand there: a time without one is somebody's local time.
  const time = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? new Date(text) : new Date(Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

interface Numbered {
  readonly index: number;
  readonly rest: string;
  readonly value: string;
}

function numbered(fields: ReadonlyMap<string, string>, name: string): Numbered[] {
  const found: Numbered[] = [];
  for (const [key, value] of fields) {
    if (!key.startsWith(`${name}.`)) continue;
    const match = /^[A-Za-z]+\.(\d+)(?:\.(.+))?$/.exec(key.slice(name.length + 1));
    if (match) found.push({ index: Number(match[1]), rest: match[2] ?? '', value });
  }
  return found.toSorted((one, other) => one.index - other.index);
}

function grouped(found: readonly Numbered[]): ReadonlyMap<string, string>[] {
  const groups = new Map<number, Map<string, string>>();
  for (const { index, rest, value } of found) groups.set(index, (groups.get(index) ?? new Map()).set(rest, value));
  return [...groups.values()];
}
