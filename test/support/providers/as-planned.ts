import type { CallRecord } from '../../../sandbox/aws/calls.ts';
import { fill, type Command, type Values } from '../../../domain/command.ts';

/** A call as `aws <service> <verb> --region … --option value …` says it: options with their values, sorted. */
export interface SaidCall {
  readonly call: string;
  readonly options: Readonly<Record<string, readonly string[]>>;
}

/** What a command of the plan says, its variables filled in. Reads shell words, quotes and the short form `Key=a,Value=b`. */
export function saidBy(command: Command, values: Values): SaidCall {
  const words = [...fill(command, values).matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word);
  const options: Record<string, string[]> = {};
  let last: string[] = [];
  for (const word of words.slice(3)) {
    const [, no, name] = /^--(no-)?([a-z][a-z\d-]*)$/.exec(word) ?? [];
    if (name === undefined) last.push(word.replaceAll("'", ''));
    else options[name] = last = no === undefined ? [] : ['false'];
  }
  return {
    call: words.slice(0, 3).join(' '),
    options: Object.fromEntries(Object.entries(options).map(([name, list]) => [name, list.length > 0 ? list.toSorted() : ['true']])),
  };
}

/** One text for one call, in whatever order its options were said. */
export function callText({ call, options }: SaidCall): string {
  const words = Object.entries(options).map(([name, values]) => `--${name} ${values.join(' ')}`);
  return [call, ...words.toSorted()].join(' ');
}

/** What the stand-in recorded, in the same words. The lists and structures of the Query protocol have numbers and names in their keys. */
export function saidTo({ service, action, region, parameters }: CallRecord): SaidCall {
  const lists = new Map<string, Map<string, [string, string][]>>();
  for (const [key, value] of Object.entries(parameters)) {
    const [name = '', ...rest] = key.split('.');
    if (['Action', 'Version', 'PreSignedUrl'].includes(name)) continue;
    const items = lists.get(name) ?? new Map<string, [string, string][]>();
    const index = rest.slice(0, 2).join('.');
    items.set(index, [...(items.get(index) ?? []), [rest.slice(2).join('.'), String(value)]]);
    lists.set(name, items);
  }
  const written = [...lists].map(([name, items]) => [dashed(name), [...items.values()].map(itemText).toSorted()]);
  return { call: `aws ${service} ${dashed(action)}`, options: { region: [region], ...Object.fromEntries(written) } };
}

function itemText(parts: readonly [string, string][]): string {
  return parts.map(([name, value]) => (name === '' ? moment(value) : `${name}=${value}`)).join(',');
}

/** Moments are sent with or without their thousandths. */
const moment = (text: string): string => (/^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text).toISOString() : text);

const dashed = (name: string): string =>
  name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
