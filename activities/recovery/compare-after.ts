import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { holdsRows, names } from './aside-commands.ts';
import { accountedFor, countBack, countChosen } from './bring-commands.ts';
import type { Measured, RestoreEvidence } from './contract.ts';
import { journalOf } from './copy-aside.ts';
import { changingLive, onRestored, type Copying } from './places.ts';

/**
 * The evidence of a copy back: holds the rows that were added or left out for a reason against those that were copied aside, counts
 * whole tables on the restored copy once more (a condition is read once only, it might fit others by now), and tells how many rows of the database in use were changed or removed, as the server counted in the very
 * transaction. What the application has written since plays no part. Raises `data-differs` when a row is not accounted for, or one
 * was changed or removed; `conflict` before the rows are back.
 */
export async function compareAfter(copying: Copying, measured: Measured, attempt: Attempt): Promise<RestoreEvidence> {
  const { facts, recovery } = copying;
  const journal = await journalOf(copying, attempt);
  if (!journal.broughtBack || journal.takenOut)
    throw new Failure('conflict', `nothing is back in ${recovery.database} that could be compared`);
  const values = names(attempt.tag, facts);
  const { sums, lines } = await changingLive(copying, attempt, async (session) => ({
    sums: (await session.run<{ added: string; overwritten: string | null }>(countBack, values))[0],
    lines: await session.run<Line>(accountedFor, values),
  }));
  const lacking = await unaccounted(copying, attempt, new Map(lines.map((line) => [line.place, line])));
  const lost = typeof sums?.overwritten === 'string' ? Number(sums.overwritten) : null;
  const { target, recoveredTo, ...rest } = measured;
  const evidence = { target, recoveredTo, rowsBack: Number(sums?.added ?? 0), lostAfterTarget: lost, ...rest };
  if (lacking.length === 0 && (lost ?? 0) === 0) return evidence;
  const what = [...lacking, ...(lost ? [`${lost} rows were changed or removed`] : [])];
  throw new Failure('data-differs', `${recovery.database} is not as the copy should have left it: ${what.slice(0, 20).join('; ')}`, {
    ...evidence,
  });
}

type Line = { readonly place: number; readonly copied: string; readonly rows: string };

async function unaccounted(copying: Copying, attempt: Attempt, lines: ReadonlyMap<number, Line>): Promise<string[]> {
  const { facts } = copying;
  const look = async (session: Parameters<Parameters<typeof onRestored>[1]>[0]): Promise<string[]> => {
    const lacking: string[] = [];
    for (const [index, table] of facts.tables.entries()) {
      if (!holdsRows(table)) continue;
      attempt.signal.throwIfAborted();
      attempt.progress({ summary: `${index + 1} of ${facts.tables.length} tables: ${qualified(table)}` });
      const line = lines.get(index + 1);
      const [row] = table.where === null ? await session.query<{ rows: string }>(countChosen(table).text) : [{ rows: line?.copied }];
      const [chosen, back] = [Number(row?.rows ?? 0), Number(line?.rows ?? 0)];
      if (chosen !== back) lacking.push(`of ${chosen} rows of ${qualified(table)} ${back} are accounted for`);
    }
    return lacking;
  };
  return await onRestored(copying, look, { statementTimeout: 0, identity: facts.restored });
}
