import { z } from 'zod';
import type { NoReturn } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt, Effects } from '../attempt.ts';
import type { Migration } from '../replication/contract.ts';
import { replicatedTables, type MigrationFacts, type TableFacts } from '../replication/facts.ts';
import { dropSnapshot } from '../replication/switch/commands.ts';
import { isAhead, readSequences } from '../replication/switch/hand-over.ts';
import { switchFactsOf, type SwitchFacts } from '../replication/switch/switch-facts.ts';
import { compareProgress } from './compare-progress.ts';
import { writtenAfter } from './compare-rows.ts';
import { openPairs, type Pair, type Pairs } from './compare-sessions.ts';
import { compareTable, type TableResult } from './compare-table.ts';
import type { Comparison, PostgresActivities } from './contract.ts';
import type { Servers } from './session.ts';

export interface CompareDependencies {
  readonly servers: Servers;
  /** The facts that are stored under this digest. */
  facts(digest: string): Promise<MigrationFacts>;
  readonly noReturn: NoReturn;
}

const atOnce = 2;
const rowsPerPiece = 20_000;
const tablesNamed = 20;

const checkpoint = z.object({
  live: z.boolean(),
  results: z.array(
    z.object({ table: z.string(), rows: z.number(), differing: z.number(), firstKeys: z.array(z.string()), changedSince: z.number() }),
  ),
});

type Checkpoint = z.infer<typeof checkpoint>;

export function createCompareActivity(deps: CompareDependencies): Effects<Pick<PostgresActivities, 'compare'>> {
  return { compare: (migration, attempt) => compare(deps, migration, attempt) };
}

/**
 * Compares every row of every table of the fenced source with the target's snapshot of the switch, while writes go on there; and
 * that no sequence of the target is behind. Resumes after a crash with the tables that were not done. When the snapshot is lost
 * it compares with the state of now and passes over what changed since (`method: 'live'`). Throws `data-differs` with tables, counts
 * and first keys. Afterwards the snapshot is given back; after a difference it is kept for
 * another look.
 */
async function compare(deps: CompareDependencies, migration: Migration, attempt: Attempt): Promise<Comparison> {
  const facts = await deps.facts(migration.facts);
  const decided = await deps.noReturn.read(attempt.run);
  if (decided?.side !== 'forward')
    throw new Failure('conflict', `${migration.source} was not switched in this run, so nothing stands still to compare`);
  const switched = switchFactsOf(decided.facts);
  const pairs = await openPairs(deps.servers, migration, facts, switched.snapshot, atOnce);
  // A statement that is under way ends with its session.
  const stop = (): void => void pairs.end();
  attempt.signal.addEventListener('abort', stop, { once: true });
  try {
    const done = await compareTables(pairs, facts, switched, attempt);
    const behind = await sequencesBehind(pairs, facts);
    refuseDifferences(migration, done.results, behind);
    await pairs.end();
    await giveSnapshotBack(deps.servers, migration, facts, switched, attempt);
    return {
      tables: done.results.length,
      rowsCompared: sum(done.results, (one) => one.rows),
      tablesDiffering: 0,
      sequencesBehind: 0,
      method: done.live ? 'live' : 'snapshot',
      changedSince: sum(done.results, (one) => one.changedSince),
    };
  } catch (error) {
    if (attempt.signal.aborted && attempt.signal.reason instanceof Error) throw attempt.signal.reason;
    throw error;
  } finally {
    attempt.signal.removeEventListener('abort', stop);
    await pairs.end();
  }
}

async function compareTables(
  { pairs, method }: Pairs,
  facts: MigrationFacts,
  switched: SwitchFacts,
  attempt: Attempt,
): Promise<Checkpoint> {
  const saved = checkpoint.safeParse(attempt.checkpoint);
  const done: Checkpoint = {
    live: method === 'live' || (saved.success && saved.data.live),
    results: saved.success ? [...saved.data.results] : [],
  };
  const waiting = largestFirst(facts).filter((table) => !done.results.some((one) => one.table === nameOf(table)));
  const progress = compareProgress(facts, done.results, attempt);
  const writtenSince = method === 'live' ? writtenAfter(switched.visible) : undefined;
  const sameEncoding = facts.binding.source.encoding === facts.binding.target.encoding;
  const work = async (pair: Pair): Promise<void> => {
    for (let table = waiting.shift(); table; table = waiting.shift()) {
      const name = nameOf(table);
      const result = await compareTable(pair, {
        table,
        sameEncoding,
        rowsPerPiece,
        writtenSince,
        estimatedRows: progress.estimatedRows(name),
        compared: (rows) => {
          attempt.signal.throwIfAborted();
          progress.rows(name, rows);
        },
      });
      done.results.push(result);
      progress.table(result);
      attempt.save(done);
    }
  };
  await Promise.all(pairs.map(work));
  return done;
}

/** So that the last hour isn't one table alone. */
function largestFirst(facts: MigrationFacts): TableFacts[] {
  const bytes = new Map(facts.observed.tables.map((one) => [nameOf(one), one.bytes]));
  return [...replicatedTables(facts)].sort((one, other) => (bytes.get(nameOf(other)) ?? 0) - (bytes.get(nameOf(one)) ?? 0));
}

async function sequencesBehind({ pairs: [pair] }: Pairs, facts: MigrationFacts): Promise<string[]> {
  if (!pair) return [];
  const { sequences } = facts.binding.source;
  const [source, target] = await Promise.all([readSequences(pair.source, sequences), readSequences(pair.target, sequences)]);
  return sequences
    .filter((sequence, index) => {
      const [one, other] = [source[index], target[index]];
      return !one || !other || isAhead(sequence, one, other);
    })
    .map(nameOf);
}

function refuseDifferences(migration: Migration, results: readonly TableResult[], behind: readonly string[]): void {
  const differing = results.filter((one) => one.differing > 0);
  if (differing.length === 0 && behind.length === 0) return;
  const tables = differing.slice(0, tablesNamed).map((one) => `${one.table}: ${one.differing} rows, first ${one.firstKeys.join(' ')}`);
  const sequences = behind.length > 0 ? [`sequences behind: ${behind.slice(0, tablesNamed).join(', ')}`] : [];
  throw new Failure('data-differs', `${migration.source} and ${migration.target} differ: ${[...tables, ...sequences].join('; ')}`, {
    tables: differing.slice(0, tablesNamed),
    tablesDiffering: differing.length,
    sequencesBehind: behind.slice(0, tablesNamed),
  });
}

/** Nobody needs the snapshot any more, and it holds back vacuum on the target. It would end by itself later, so no undo. */
async function giveSnapshotBack(
  servers: Servers,
  migration: Migration,
  facts: MigrationFacts,
  switched: SwitchFacts,
  attempt: Attempt,
): Promise<void> {
  const session = await servers.open(migration.target, { purpose: 'change', step: attempt.step, identity: facts.binding.target });
  try {
    await session.run(dropSnapshot, { exporter: switched.exporter, own: 0 });
  } finally {
    await session.end();
  }
}

function nameOf(object: { readonly schema: string; readonly name: string }): string {
  return `${object.schema}.${object.name}`;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
