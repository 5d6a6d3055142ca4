import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { inTransaction } from '../replication/side.ts';
import { missingTables, names, tablesInUse } from './aside-commands.ts';
import { count, journalOf, runAll } from './copy-aside.ts';
import type { TableInUse } from './facts.ts';
import { changingLive, onLive, type Copying } from './places.ts';
import { beginTaking, countChanged, dropBack, lockBack, noteLeft, refersToItself, takeRows } from './take-out-commands.ts';

/**
 * Removes what `bringBack` added: its rows, and tables that were missing, as long as nobody has changed them or refers to them. In
 * one transaction that notes itself, so twice is once. Right when nothing ever came back. Sequences stay where they are. Raises
 * `drift` with what stays, `uncertain` when the journal is gone although the rows may be back.
 */
export async function takeOut(copying: Copying, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const seen = await journalOf(copying, attempt);
  const { database } = copying.recovery;
  if (seen.state === 'absent') {
    throw new Failure('uncertain', `the journal "${attempt.tag}_journal" on ${database} is gone, so nobody can tell what came back`, {
      database,
    });
  }
  if (!seen.broughtBack) return await attempt.settle('nothing-to-undo');
  await attempt.intend({});
  if (!seen.takenOut) {
    await changingLive(
      copying,
      attempt,
      async (session) => await inTransaction(session, async () => await take(copying, attempt, session)),
    );
  }
  const left = await onLive(
    copying,
    async (session) => await session.query<{ what: string }>(`SELECT what FROM "${attempt.tag}_journal".taken_out`),
  );
  if (left.length > 0) {
    const what = left.map((one) => one.what);
    throw new Failure('drift', `of what came back to ${database} this stays, somebody has changed it: ${what.join('; ')}`, { left: what });
  }
  await attempt.settle('undone');
}

/** Tables that came back first: they may refer to rows that came back, whose going they would follow. */
async function take({ facts }: Copying, attempt: Attempt, session: Session): Promise<void> {
  const values = names(attempt.tag, facts);
  const stays = async (what: string): Promise<void> => void (await session.run(noteLeft, { ...values, what }));
  await session.run(beginTaking, values);
  const changed = [];
  for (const table of missingTables(facts)) {
    await session.run(lockBack(table), values);
    const rows = await count(session, countChanged(facts, table), values);
    if (rows > 0) changed.push(`${qualified(table)} (${rows} rows)`);
  }
  if (changed.length > 0) {
    const rest = tablesInUse(facts).length > 0 ? ', and with them the rows that came back to other tables' : '';
    return await stays(`the tables that came back, since rows of them were changed: ${changed.join(', ')}${rest}`);
  }
  await runAll(session, dropBack(facts), values);
  for (const table of tablesInUse(facts).toReversed()) {
    attempt.signal.throwIfAborted();
    const rows = await takeTable(session, takeRows(facts, table), table, values);
    if (rows > 0) await stays(`${rows} rows of ${qualified(table)}`);
  }
  await attempt.current();
}

/** How many of the added rows stay. */
async function takeTable(
  session: Session,
  { lock, count: counted, before, remove, after }: ReturnType<typeof takeRows>,
  table: TableInUse,
  values: ReturnType<typeof names>,
): Promise<number> {
  await session.run(lock, values);
  const stay = await count(session, counted, values);
  if (stay > 0 && refersToItself(table)) return stay;
  await runAll(session, [...before, remove, ...after], values);
  return stay;
}
