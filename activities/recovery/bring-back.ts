import { qualified, type Command } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { ensure, type Observation } from '../engine/ensure.ts';
import type { Session } from '../postgres/session.ts';
import { inTransaction } from '../replication/side.ts';
import { missingTables, names, tablesInUse } from './aside-commands.ts';
import {
  addForeignKeys,
  beginBringing,
  bringRows,
  checkDeferred,
  countBack,
  deferReferences,
  differingRows,
  moveForward,
  placeMissing,
  validateForeignKeys,
  type BringRows,
} from './bring-commands.ts';
import type { BroughtBack } from './contract.ts';
import { count, journalOf, runAll } from './copy-aside.ts';
import type { TableInUse } from './facts.ts';
import { followingRows } from './following-commands.ts';
import { changingLive, type Copying } from './places.ts';

const listed = 20;
const foreignKeyViolation = '23503';

/**
 * From the side schema into place, in one transaction: a missing table is moved, a table in use gets the rows that it lacks, its
 * sequences only go forward, and nothing that is there is changed. The journal's table of it is made in the same transaction, so it
 * happens once. Foreign keys that came back are validated afterwards; those that older rows break stay for new rows only, and are
 * told. Raises `reference-missing`, `source-busy` when a lock is not to be had, and `uncertain` when the journal is gone.
 */
export async function bringBack(copying: Copying, attempt: Attempt): Promise<BroughtBack> {
  await ensure(attempt, {
    observe: async () => await observation(copying, attempt),
    act: async () =>
      await changingLive(
        copying,
        attempt,
        async (session) => await inTransaction(session, async () => await bring(copying, attempt, session)),
      ),
  });
  return await changingLive(copying, attempt, async (session) => await told(copying, attempt, session));
}

async function observation(copying: Copying, attempt: Attempt): Promise<Observation<void>> {
  const seen = await journalOf(copying, attempt);
  const { database } = copying.recovery;
  if (seen.takenOut) return { state: 'drifted', what: `what came back to ${database} was taken out again` };
  if (seen.broughtBack) return { state: 'there', result: undefined };
  const lacks = copying.facts.tables.length - seen.copied.size;
  if (lacks > 0) return { state: 'uncertain', what: `${lacks} tables are not whole in the schema ${attempt.tag} on ${database}` };
  return { state: 'absent' };
}

async function bring({ facts }: Copying, attempt: Attempt, session: Session): Promise<void> {
  const values = names(attempt.tag, facts);
  await session.run(beginBringing, values);
  await runAll(session, placeMissing(facts), values);
  await session.run(deferReferences);
  const tables = tablesInUse(facts);
  for (const [index, table] of tables.entries()) {
    attempt.signal.throwIfAborted();
    attempt.progress({ summary: `${index + 1} of ${tables.length} tables in use: ${qualified(table)}` });
    await bringTable(session, bringRows(facts, table), table, values);
  }
  for (const table of tables) await checkReferences(session, bringRows(facts, table), table, values);
  await session.run(checkDeferred).catch(referenceMissing({}));
  for (const table of tables) await runAll(session, bringRows(facts, table).release, values);
  await runAll(session, addForeignKeys(facts), values).catch(referenceMissing({}));
  // Last: from here to the commit nobody gets a number.
  await runAll(session, moveForward(facts), values);
  // Right before the commit: what a newer attempt would find must not change under it.
  await attempt.current();
}

async function bringTable(
  session: Session,
  { before, insert, after, note }: BringRows,
  table: TableInUse,
  values: ReturnType<typeof names>,
): Promise<void> {
  await runAll(session, before, values);
  await session.run(insert, values).catch(referenceMissing({ table: qualified(table) }));
  await runAll(session, [...after, note], values);
}

const referenceMissing =
  (facts: Readonly<Record<string, string>>) =>
  (error: unknown): never => {
    if (!(error instanceof Failure) || error.facts['sqlstate'] !== foreignKeyViolation) throw error;
    throw new Failure('reference-missing', error.message, facts, error);
  };

/** What the server did not check itself, when all rows are there. */
async function checkReferences(
  session: Session,
  { references }: BringRows,
  table: TableInUse,
  values: ReturnType<typeof names>,
): Promise<void> {
  for (const one of references) {
    await session.run(one.lock, values);
    const rows = await count(session, one.count, values);
    if (rows === 0) continue;
    throw new Failure('reference-missing', `${rows} rows of ${qualified(table)} would break its foreign key ${one.name}`, {
      table: qualified(table),
      key: one.name,
      rows,
    });
  }
}

/** Repeats safely: validating a valid key does nothing. */
async function told({ facts }: Copying, attempt: Attempt, session: Session): Promise<BroughtBack> {
  const values = names(attempt.tag, facts);
  const notValidated: string[] = [];
  for (const command of validateForeignKeys(facts)) {
    await session.run(command).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.facts['sqlstate'] !== foreignKeyViolation) throw error;
      notValidated.push(error.message);
    });
  }
  const [sums] = await session.run<Record<'added' | 'same' | 'differing' | 'taken' | 'following', string>>(countBack, values);
  const keys = async (of: (table: TableInUse) => readonly Command[]): Promise<string[]> => {
    const found: string[] = [];
    for (const table of tablesInUse(facts)) {
      for (const command of found.length < listed ? of(table) : []) {
        const rows = await session.run<{ key: string }>(command, values);
        found.push(...rows.map((row) => `${qualified(table)} (${row.key.slice(0, 100)})`));
      }
    }
    return found.slice(0, listed);
  };
  return {
    tablesBack: missingTables(facts).length,
    rowsBack: Number(sums?.added ?? 0),
    leftOut: {
      same: Number(sums?.same ?? 0),
      differing: Number(sums?.differing ?? 0),
      taken: Number(sums?.taken ?? 0),
      following: Number(sums?.following ?? 0),
    },
    differing: await keys((table) => [differingRows(facts, table)]),
    following: await keys((table) => followingRows(facts, table)),
    notValidated: notValidated.slice(0, listed),
  };
}
