import { bytesText } from '../../domain/bytes.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { inTransaction } from '../replication/side.ts';
import type { Hydration } from './contract.ts';
import { runAll } from './copy-aside.ts';
import { dropPrewarm, makePrewarm, readBlocks, scanTable } from './hydrate-commands.ts';
import { writeAlike } from './inspect-restored.ts';
import { answered } from './looked.ts';
import type { Places } from './places.ts';

/** A piece of a file that is read in one call: 64 MB, or a whole table without pg_prewarm. */
interface Piece {
  readonly oid: number;
  readonly name: string;
  readonly fork: string;
  readonly kind: string;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/** What an earlier attempt left: all pieces before this one were read, by whichever way. */
interface Memory {
  readonly pieces: number;
  readonly ms: number;
  readonly notRead: readonly string[];
}

const blocksAtOnce = 8_192;
/** A volume that is loaded lazily answers slowly and to many at once. */
const sessions = 4;
const listed = 20;

const piecesQuery = `
  SELECT c.oid::int8::float8 AS oid, c.oid::regclass::text AS name, f.fork, c.relkind AS kind, b.first::int8::float8 AS first,
         least(b.first + ${blocksAtOnce}, s.size / current_setting('block_size')::int8)::float8 - 1 AS last,
         least(${blocksAtOnce} * current_setting('block_size')::int8, s.size - b.first * current_setting('block_size')::int8)::int8::float8 AS bytes
    FROM pg_class c CROSS JOIN (VALUES ('main'), ('fsm'), ('vm'), ('init')) AS f (fork)
   CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid, f.fork) AS size) s
   CROSS JOIN LATERAL generate_series(0, s.size / current_setting('block_size')::int8 - 1, ${blocksAtOnce}) AS b (first)
   WHERE c.relkind IN ('r', 'i', 't', 'm', 'S') AND c.relpersistence <> 't' AND s.size > 0 ORDER BY c.oid, f.fork, b.first`;

/**
 * Reads every page of every relation of the restored copy from its volume, which may load what is read only now. By pg_prewarm in
 * its mode `read`, four sessions side by side; the extension is made in a schema of the run's name and removed at the end, by the
 * next attempt after a kill. Where it is not to be had tables are read by sequential scans, and what no scan reads (indexes,
 * sequences, TOAST where the role may not) is told. After a kill it goes on where all before was read.
 */
export async function hydrate(places: Places, attempt: Attempt): Promise<Hydration> {
  const opened: Session[] = [];
  try {
    for (let index = 0; index < sessions; index += 1) opened.push(await openReading(places, attempt));
    const [first] = opened;
    if (!first) throw new Error('there is a session');
    await attempt.intend({});
    const prewarm = await extensionFor(first, attempt.tag);
    const all = await first.query<Piece & Record<string, unknown>>(piecesQuery);
    const result = await readAll(opened, attempt, all, prewarm);
    if (prewarm === attempt.tag) await inTransaction(first, async () => await runAll(first, dropPrewarm, { tag: attempt.tag }));
    await attempt.settle('made');
    return result;
  } finally {
    await Promise.all(opened.map((session) => session.end()));
  }
}

async function openReading({ servers, recovery }: Places, attempt: Attempt): Promise<Session> {
  const session = await servers.open(recovery.database, {
    purpose: 'change',
    step: attempt.step,
    statementTimeout: 0,
    server: recovery.restored,
  });
  await writeAlike(session);
  // Else a count could be answered by an index, or by pages that are known to be visible.
  await session.query(
    'SET enable_indexonlyscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off; SET synchronize_seqscans = off',
  );
  return session;
}

/** The extension's schema; undefined where it is not to be had. */
async function extensionFor(session: Session, tag: string): Promise<string | undefined> {
  const there = await session.query<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_prewarm'`,
  );
  if (there[0]) return there[0].schema;
  const made = await answered(async () => {
    await inTransaction(session, async () => await runAll(session, makePrewarm, { tag }));
    return [];
  });
  return made instanceof Failure ? undefined : tag;
}

async function readAll(
  opened: readonly Session[],
  attempt: Attempt,
  all: readonly Piece[],
  prewarm: string | undefined,
): Promise<Hydration> {
  const before = remembered(attempt.checkpoint);
  const begun = Date.now();
  const notRead = new Set(before.notRead);
  const total = all.reduce((sum, one) => sum + one.bytes, 0);
  const done = new Set<number>();
  let [next, whole] = [before.pieces, before.pieces];
  let bytes = all.slice(0, before.pieces).reduce((sum, one) => sum + one.bytes, 0);
  const bytesBefore = bytes;
  const ms = (): number => before.ms + Date.now() - begun;
  const read = async (session: Session): Promise<void> => {
    for (let index = next++; index < all.length; index = next++) {
      attempt.signal.throwIfAborted();
      const piece = all[index];
      if (!piece) return;
      if (!(prewarm === undefined ? await scan(session, piece) : await prewarmed(session, prewarm, piece))) notRead.add(piece.name);
      bytes += piece.bytes;
      done.add(index);
      while (done.delete(whole)) whole += 1;
      attempt.save({ pieces: whole, ms: ms(), notRead: [...notRead] } satisfies Memory);
      attempt.progress(progressOf({ bytes, total, bytesBefore, seconds: (Date.now() - begun) / 1_000 }));
    }
  };
  await Promise.all(opened.map(read));
  const method = prewarm !== undefined ? 'pg_prewarm' : 'scans';
  const names = [...notRead].toSorted();
  return {
    relations: new Set(all.map((one) => one.oid)).size,
    bytes,
    seconds: ms() / 1_000,
    method,
    notRead: names.length,
    notReadSome: names.slice(0, listed),
  };
}

async function prewarmed(session: Session, prewarm: string, { oid, fork, first, last }: Piece): Promise<boolean> {
  const read = await answered(async () => await session.run(readBlocks, { prewarm, relation: oid, fork, first, last }));
  return !(read instanceof Failure);
}

/** A scan reads all of a table's main file at once: with its first piece. */
async function scan(session: Session, piece: Piece): Promise<boolean> {
  if (piece.fork !== 'main') return true;
  if (!['r', 't', 'm'].includes(piece.kind)) return false;
  if (piece.first > 0) return true;
  const read = await answered(async () => await session.run(scanTable, { table: piece.name }));
  return !(read instanceof Failure);
}

function remembered(checkpoint: unknown): Memory {
  // Saved by an earlier attempt of this very verb.
  return typeof checkpoint === 'object' && checkpoint !== null ? (checkpoint as Memory) : { pieces: 0, ms: 0, notRead: [] };
}

function progressOf({ bytes, total, bytesBefore, seconds }: { bytes: number; total: number; bytesBefore: number; seconds: number }) {
  const rate = seconds > 0.2 ? (bytes - bytesBefore) / seconds : 0;
  return {
    summary: `${bytesText(bytes)} of ${bytesText(total)}${rate > 0 ? `, ${bytesText(rate)}/s` : ''}`,
    ...(total > 0 ? { fraction: Math.min(1, bytes / total) } : {}),
    ...(rate > 0 ? { secondsLeft: Math.ceil((total - bytes) / rate) } : {}),
  };
}
