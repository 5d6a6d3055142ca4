import type { Tag } from '@aws-sdk/client-rds';
import type { Attempt } from '../../attempt.ts';

/** The name and the tags of whatever a run makes. In a plan they are variables. */
export interface Own {
  readonly tag: string;
  readonly run: string;
  readonly key: string;
}

export const ownVariables: Own = { tag: ':tag', run: ':run', key: ':key' };

/** `steadyhand_<ulid>` with a dash, since RDS knows no underscore: 37 of the 63 characters that a name may have. */
export function ownName(tag: string): string {
  return tag.replace('_', '-');
}

export function ownOf({ tag, run, key }: Pick<Attempt, 'tag' | 'run' | 'key'>): Own {
  return { tag: ownName(tag), run, key };
}

const runTag = 'steadyhand-run';
const keyTag = 'steadyhand-key';

export function ownTags({ run, key }: Own): Tag[] {
  return [
    { Key: runTag, Value: run },
    { Key: keyTag, Value: key },
  ];
}

export const isOwnTag = (name: string): boolean => name === runTag || name === keyTag;

export function tagsOf(list: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((list ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** Made by this very step, by an attempt before or by this one. */
export function bearsKey(list: readonly Tag[] | undefined, { key }: Pick<Attempt, 'key'>): boolean {
  return tagsOf(list)[keyTag] === key;
}

/** The run that has made it. */
export const runOf = (list: readonly Tag[] | undefined): string | null => tagsOf(list)[runTag] ?? null;

/** Made by any step of this run. */
export function bearsRun(list: readonly Tag[] | undefined, run: string): boolean {
  return runOf(list) === run;
}
