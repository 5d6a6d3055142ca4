import { bytesText } from '../../domain/bytes.ts';
import { qualified, type Command } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { inTransaction } from '../replication/side.ts';
import {
  alreadyThere,
  copyTable,
  holdsRows,
  makeAside,
  names,
  noteCopied,
  orphansAside,
  readingFor,
  readRows,
  removeAside as planned,
  tablesInUse,
  writeRows,
} from './aside-commands.ts';
import type { CopiedAside } from './contract.ts';
import type { CopyTable } from './facts.ts';
import { readJournal, type Journal } from './journal.ts';
import { changingLive, onLive, onRestored, type Copying } from './places.ts';

const listed = 20;

/**
 * The chosen tables into the side schema, each with its keys and its line in the journal in one transaction: a table is whole or it
 * isn't there, so a repeat goes on with the next one, and after `bringBack` it only tells. Raises `foreign-object` when the schema's
 * name is taken, `drift` when what was copied is gone.
 */
export async function copyAside(copying: Copying, attempt: Attempt): Promise<CopiedAside> {
  const { facts } = copying;
  const seen = await journalOf(copying, attempt);
  await attempt.intend({});
  if (seen.state === 'absent') {
    await changingLive(copying, attempt, async (session) => {
      await inTransaction(session, async () => await runAll(session, makeAside(facts), names(attempt.tag, facts)));
    });
  }
  for (const [index, table] of facts.tables.entries()) {
    if (seen.copied.has(index + 1)) continue;
    attempt.signal.throwIfAborted();
    await copyOne(copying, attempt, table, index + 1);
  }
  const result = await checked(copying, attempt);
  await attempt.settle(seen.copied.size === facts.tables.length ? 'adopted' : 'made');
  return result;
}

async function copyOne(copying: Copying, attempt: Attempt, table: CopyTable, place: number): Promise<void> {
  const { facts } = copying;
  const values = names(attempt.tag, facts);
  const { before, after } = copyTable(facts, table);
  await onRestored(
    copying,
    async (restored) => {
      for (const { text } of readingFor(facts, table)) await restored.query(text);
      await changingLive(copying, attempt, async (session) => {
        await inTransaction(session, async () => {
          await runAll(session, before, values);
          const counter = countingBytes(attempt, `${place} of ${facts.tables.length} tables, ${qualified(table)}`);
          const copied = holdsRows(table)
            ? await session.copyIn(writeRows(facts, table), values, counter.through(restored.copyOut(readRows(table))))
            : 0;
          await runAll(session, after, values);
          await session.run(noteCopied, { ...values, place, rows: copied, bytes: counter.bytes() });
          await attempt.current();
        });
      });
    },
    { statementTimeout: 0, identity: facts.restored },
  );
}

interface Counter {
  through(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  bytes(): number;
}

function countingBytes(attempt: Attempt, what: string): Counter {
  const started = Date.now();
  let bytes = 0;
  return {
    bytes: () => bytes,
    through: async function* (chunks) {
      for await (const chunk of chunks) {
        attempt.signal.throwIfAborted();
        bytes += chunk.length;
        attempt.progress({
          summary: `${what}: ${bytesText(bytes)}, ${bytesText(bytes / Math.max(0.001, (Date.now() - started) / 1_000))}/s`,
        });
        yield chunk;
      }
    },
  };
}

/** Counts, and what would refer to nothing. After the rows have been brought back there is nothing aside to look at. */
async function checked(copying: Copying, attempt: Attempt): Promise<CopiedAside> {
  const { facts } = copying;
  const values = names(attempt.tag, facts);
  const journal = await journalOf(copying, attempt);
  const lines = [...journal.copied.values()];
  const total = (of: (line: (typeof lines)[number]) => number): number => lines.reduce((sum, one) => sum + of(one), 0);
  const found = { tables: lines.length, rows: total((one) => one.rows), bytes: total((one) => one.bytes) };
  if (journal.broughtBack) return { ...found, alreadyThere: 0, orphans: [] };
  return await changingLive(copying, attempt, async (session) => {
    const orphans = [];
    let there = 0;
    for (const table of tablesInUse(facts)) {
      there += await count(session, alreadyThere(facts, table), values);
      for (const one of table.references) {
        const rows = await count(session, orphansAside(facts, table, one), values);
        if (rows > 0) orphans.push({ table: qualified(table), key: one.name, rows });
      }
    }
    return { ...found, alreadyThere: there, orphans: orphans.slice(0, listed) };
  });
}

export async function count(session: Session, command: Command, values: ReturnType<typeof names>): Promise<number> {
  const [row] = await session.run<{ rows: string }>(command, values);
  return Number(row?.rows ?? 0);
}

export async function runAll(session: Session, commands: readonly Command[], values: ReturnType<typeof names>): Promise<void> {
  for (const command of commands) await session.run(command, values);
}

/** Raises `foreign-object` when the journal's name is taken. */
export async function journalOf(copying: Copying, attempt: Attempt): Promise<Journal> {
  const seen = await onLive(copying, async (session) => await readJournal(session, attempt.tag));
  if (seen.state !== 'foreign') return seen;
  const { database } = copying.recovery;
  throw new Failure('foreign-object', `${database} has a schema "${attempt.tag}_journal" that Steadyhand did not make`, { database });
}

const dependentObjects = '2BP01';

/**
 * Removes side schema and journal with just what the copy made in them. Right when it never happened, and twice. Raises
 * `foreign-object` when somebody else has something in them; then all of it stays.
 */
export async function removeAside(copying: Copying, attempt: Attempt): Promise<void> {
  const seen = await journalOf(copying, attempt);
  const undo = attempt.key.endsWith('/undo');
  if (undo && seen.state === 'absent') return await attempt.settle('nothing-to-undo');
  await attempt.intend({});
  if (seen.state === 'absent') return await attempt.settle('adopted');
  try {
    await changingLive(copying, attempt, async (session) => {
      await inTransaction(
        session,
        async () => await runAll(session, planned(copying.recovery, copying.facts), names(attempt.tag, copying.facts)),
      );
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.facts['sqlstate'] !== dependentObjects) throw error;
    const { database } = copying.recovery;
    throw new Failure(
      'foreign-object',
      `on ${database} something else hangs on what ${attempt.tag} made: ${error.message}`,
      { database },
      error,
    );
  }
  await attempt.settle(undo ? 'undone' : 'made');
}
