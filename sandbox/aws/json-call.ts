import type { Place } from './place.ts';

/** One call in AWS's JSON protocols. */
export interface JsonCall {
  readonly place: Place;
  readonly region: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A text of the input, empty when it is not there or is none. */
export function textOf(input: JsonCall['input'], name: string): string {
  const value = input[name];
  return typeof value === 'string' ? value : '';
}
