import type { Command } from '../../domain/command.ts';

const restored = (text: string, when?: string): Command => ({ on: 'restored', kind: 'sql', text, ...(when === undefined ? {} : { when }) });

/** In a schema of the run's name, so that whoever comes later knows whose it is. Both are removed at the end. */
export const makePrewarm: readonly Command[] = ['CREATE SCHEMA :"tag"', 'CREATE EXTENSION pg_prewarm SCHEMA :"tag"'].map((text) =>
  restored(text, 'when the extension is not there yet'),
);
export const dropPrewarm: readonly Command[] = ['DROP EXTENSION pg_prewarm', 'DROP SCHEMA :"tag"'].map((text) =>
  restored(text, 'when it was made'),
);

/** Past the buffers, straight from the volume: what lies in a buffer says nothing about the volume. */
export const readBlocks = restored(
  `SELECT :"prewarm".pg_prewarm(:relation::regclass, 'read', :'fork', :first, :last) AS blocks`,
  'for every table, index, TOAST table and sequence, piece by piece',
);

/** Without the extension: a sequential scan reads every page of a table. */
export const scanTable = restored('SELECT count(*) FROM ONLY :table', 'for each table, without pg_prewarm');

export function hydrate(): Command[] {
  return [...makePrewarm, readBlocks, scanTable, ...dropPrewarm];
}
