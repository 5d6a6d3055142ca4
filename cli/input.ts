import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from './world.ts';

type Input = Record<string, unknown>;

/** Collects a repeated option. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/**
 * The input of a runbook: what the file says (JSON or YAML), with `key=value` on top; a dot in a key goes one level in. A value
 * that is JSON (`5000`, `true`, `"5000"`, `["a"]`) is taken as such, anything else is text. Throws `UsageError`.
 */
export function readInput(options: { input?: readonly string[]; inputFile?: string }): Input {
  const input = options.inputFile === undefined ? {} : fromFile(options.inputFile);
  for (const pair of options.input ?? []) set(input, pair);
  return input;
}

function fromFile(path: string): Input {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UsageError(`the input's file ${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  const read = z.record(z.string(), z.unknown()).safeParse(parsed(path, text));
  if (!read.success) throw new UsageError(`the input's file ${path} holds no object of fields`);
  return read.data;
}

function parsed(path: string, text: string): unknown {
  try {
    const value: unknown = parse(text);
    return value;
  } catch (error) {
    throw new UsageError(`the input's file ${path} is neither JSON nor YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function set(input: Input, pair: string): void {
  const match = /^([A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*)=(.*)$/s.exec(pair);
  if (!match) throw new UsageError(`--input takes key=value, such as target=orders-18; "${pair}" is not of that form`);
  const [, key = '', value = ''] = match;
  const path = key.split('.');
  const last = path.pop() ?? key;
  path.reduce((at, part) => step(at, part, key), input)[last] = valueOf(value);
}

function step(at: Input, part: string, key: string): Input {
  const inner: unknown = Object.hasOwn(at, part) ? at[part] : undefined;
  if (inner === undefined) {
    const made: Input = {};
    at[part] = made;
    return made;
  }
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner))
    throw new UsageError(`--input ${key}: "${part}" holds no fields`);
  // An object that is no array has fields by name.
  return inner as Input;
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
