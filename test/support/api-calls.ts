import { fill, type Command, type Values } from '../../domain/command.ts';
import type { CallRecord } from '../../sandbox/aws/calls.ts';

/** A call as plan and record both can tell it: `create-db-snapshot eu-central-1` and every value that it is given, sorted. */
export type ToldCall = readonly [call: string, values: readonly string[]];

export function plannedCalls(commands: readonly Command[], values: Values): ToldCall[] {
  return commands.filter(({ kind }) => kind === 'api').map((command) => plannedCall(fill(command, values)));
}

function plannedCall(text: string): ToldCall {
  const [, , verb = '', , region = '', ...options] = words(text);
  const flags = options.filter((word, at) => word.startsWith('--') && (options[at + 1] ?? '--').startsWith('--'));
  const given = options.filter((word) => !word.startsWith('--')).flatMap((word) => valuesOf(word));
  return [`${verb} ${region}`, [...given, ...flags.map((flag) => String(!flag.startsWith('--no-')))].toSorted()];
}

/** `Key=a,Value=b` are two values. */
function valuesOf(word: string): string[] {
  const tag = /^Key=(.*),Value=(.*)$/.exec(word);
  return tag ? [tag[1] ?? '', tag[2] ?? ''] : [word];
}

/** The words of a shell, without their quotes. */
function words(text: string): string[] {
  return [...text.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));
}

export function recordedCall({ action, region, parameters }: CallRecord): ToldCall {
  const verb = action
    .replaceAll(/([a-z\d])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
  const left = new Set(['Action', 'Version', 'PreSignedUrl', 'SourceRegion']);
  const values = Object.entries(parameters).flatMap(([name, value]) => (left.has(name) ? [] : leaves(value)));
  return [`${verb} ${region}`, values.toSorted()];
}

function leaves(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [String(value)];
}
