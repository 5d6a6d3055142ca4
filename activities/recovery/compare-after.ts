import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { holdsRows, names } from './aside-commands.ts';
import { accountedFor, countBack, countChosen } from './bring-commands.ts';
import type { Measured, RestoreEvidence } from './contract.ts';
import { journalOf } from './copy-aside.ts';
import { changingLive, onRestored, type Copying } from './places.ts';

/**
 * The evidence of a copy back: counts the chosen rows on the restored copy once more and holds them against those that were added or
 * left out for a reason, and tells how many rows of the database in use were changed or removed, as the server counted in the very
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
    lines: await session.run<{ place: number; rows: string }>(accountedFor, values),
  }));
  const accounted = new Map(lines.map((line) => [line.place, Number(line.rows)]));
  const lacking = await unaccounted(copying, attempt, accounted);
  const lost = typeof sums?.overwritten === 'string' ? Number(sums.overwritten) : null;
  const { target, recoveredTo, ...rest } = measured;
  const evidence = { target, recoveredTo, rowsBack: Number(sums?.added ?? 0), lostAfterTarget: lost, ...rest };
  if (lacking.length === 0 && (lost ?? 0) === 0) return evidence;
  const what = [...lacking, ...(lost ? [`${lost} rows were changed or removed`] : [])];
  throw new Failure('data-differs', `${recovery.database} is not as the copy should have left it: ${what.slice(0, 20).join('; ')}`, {
    ...evidence,
  });
}

async function unaccounted(copying: Copying, attempt: Attempt, accounted: ReadonlyMap<number, number>): Promise<string[]> {
  const { facts } = copying;
  const look = async (session: Parameters<Parameters<typeof onRestored>[1]>[0]): Promise<string[]> => {
    const lacking: string[] = [];
    for (const [index, table] of facts.tables.entries()) {
      if (!holdsRows(table)) continue;
      attempt.signal.throwIfAborted();
      const [row] = await session.query<{ rows: string }>(countChosen(table).text);
      const [chosen, back] = [Number(row?.rows ?? 0), accounted.get(index + 1) ?? 0];
      if (chosen !== back) lacking.push(`of ${chosen} rows of ${qualified(table)} ${back} are accounted for`);
    }
    return lacking;
  };
  return await onRestored(copying, look, { statementTimeout: 0, identity: facts.restored });
}
