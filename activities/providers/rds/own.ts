import type { Tag } from '@aws-sdk/client-rds';
import { tagOf } from '../../../domain/run.ts';
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

/** The snapshot that a run takes from an instance before removing it, by what the run calls its own. */
export const lastName = (own: string): string => `${own}-last`;

/** `<name>-old-<run's id>`: what a run calls the instance whose place another one takes. A long name is cut to fit in 63 characters. */
export function oldName(name: string, tag: string): string {
  const id = tag.replace(/^steadyhand[_-]/, '');
  return `${name.slice(0, 63 - `-old-${id}`.length).replace(/-$/, '')}-old-${id}`;
}

const runTag = 'steadyhand-run';
const keyTag = 'steadyhand-key';
/** The day when an old instance is due to be removed. */
const removeAfterTag = 'steadyhand:remove-after';
const databaseTag = 'steadyhand-database';

export function ownTags({ run, key }: Own): Tag[] {
  return [
    { Key: runTag, Value: run },
    { Key: keyTag, Value: key },
  ];
}

/** What an instance bears that was put aside: the run's tags, and the day. */
export function oldTags(own: Own, removeAfter: string): Tag[] {
  return [...ownTags(own), { Key: removeAfterTag, Value: removeAfter }];
}

export const oldTagNames = [runTag, keyTag, removeAfterTag];

/** The database of the inventory that a copy is of: its server may be another one, or be called otherwise, by the time it is old. */
export const ownDatabaseTag = (database: string): Tag => ({ Key: databaseTag, Value: database });

export const databaseOf = (list: readonly Tag[] | undefined): string | undefined => tagsOf(list)[databaseTag];

export const isOwnTag = (name: string): boolean => name === databaseTag || oldTagNames.includes(name);

/** The day when it is due to be removed, of an instance that a switch-over has put aside. */
export const removeAfterOf = (list: readonly Tag[] | undefined): string | null => tagsOf(list)[removeAfterTag] ?? null;

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

/** The run that has made it, by its tag and by its name: a tag alone may be inherited from an instance, or be written by hand. */
export function makerOf(name: string, list: readonly Tag[] | undefined): string | null {
  const run = runOf(list);
  return run !== null && isCalledAfter(name, run) ? run : null;
}

/** A tag that somebody wrote by hand may be no run at all. */
export function isCalledAfter(name: string, run: string): boolean {
  try {
    return name === ownName(tagOf(run));
  } catch {
    return false;
  }
}

/** The step that has made it: the last part but one of `workflowId/step/generation`. */
export function stepOf(list: readonly Tag[] | undefined): string | null {
  return tagsOf(list)[keyTag]?.split('/').at(-2) ?? null;
}
