import type { Command } from '../../domain/command.ts';
import type { AwsAction, AwsCalls } from './calls.ts';

/** One call as the plan prints it and the effect makes it. */
export interface Call<Action extends AwsAction = AwsAction> {
  readonly region: string;
  readonly action: Action;
  readonly input: AwsCalls[Action][0];
}

/** The call as AWS's own command line would make it, so that a person can: `aws rds delete-db-instance --region …`. */
function callText({ region, action, input }: Call): string {
  const [service = '', verb = ''] = action.split(':');
  const options = Object.entries(input).flatMap(([name, value]) => optionText(dashed(name), value));
  return ['aws', service, dashed(verb), '--region', region, ...options].join(' ');
}

export function callCommand(call: Call, when?: string): Command {
  return { on: 'provider', kind: 'api', text: callText(call), ...(when === undefined ? {} : { when }) };
}

/** `DBInstanceIdentifier` → `db-instance-identifier`, `MultiAZ` → `multi-az`. */
function dashed(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

function optionText(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
  return [`--${name}`, ...(Array.isArray(value) ? value : [value]).map(wordText)];
}

/** Dates in UTC; a structure in the short form, `Key=a,Value=b`. */
function wordText(value: unknown): string {
  if (value instanceof Date) return quoted(value.toISOString());
  if (typeof value !== 'object' || value === null) return quoted(String(value));
  return Object.entries(value)
    .map(([key, one]) => `${key}=${quoted(String(one))}`)
    .join(',');
}

/** A variable stays one; whatever else a shell or `fill` might read otherwise is quoted. */
function quoted(text: string): string {
  return /^(?::[a-z]\w*(?:-\w+)*|[\w./-]+)$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
