import { setImmediate as breathe } from 'node:timers/promises';
import { qualified } from '../../../domain/command.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Session } from '../../postgres/session.ts';
import { hasArrived } from '../arrived.ts';
import { marker } from '../commands.ts';
import type { MigrationFacts, SequenceFacts, SubscriberFacts } from '../facts.ts';
import { movePlaces } from '../subscribers/commands.ts';
import type { Budget } from './budget.ts';
import { exportSnapshot, keepSnapshot, setSequences } from './commands.ts';
import type { Sessions } from './sessions.ts';

const sequencesPerQuery = 300;

export interface Reading {
  readonly last: bigint;
  readonly called: boolean;
}

/** A marker of this attempt is committed on the held source. Returns the LSN of its end: every commit before is below it. */
export async function sendMarker({ source }: Sessions, token: string): Promise<string> {
  const [sent] = await source.change.run<{ lsn: string }>(marker('source'), { token });
  if (!sent) throw new Failure('switch-abandoned', 'the source wrote no marker', { part: 'same tables' });
  return sent.lsn;
}

/** The target has applied everything up to the marker. */
export async function followMarker({ target }: Sessions, tag: string, lsn: string, budget: Budget): Promise<void> {
  while (!(await hasArrived(target.look, tag, lsn))) {
    budget.signal.throwIfAborted();
    await breathe();
  }
}

/** The same reads once before writes are held up: a new session's first look at each catalog is slow. */
export async function warmUp(sessions: Sessions, facts: MigrationFacts, tag: string): Promise<void> {
  const { source, target } = sessions;
  await Promise.all([
    readSequences(source.look, facts.binding.source.sequences),
    readSequences(target.look, facts.binding.source.sequences),
  ]);
  await hasArrived(target.look, tag, '0/0');
}

/**
 * Visible is not durable: a synchronous commit on the target, and WAL flushed up to where it was before, makes everything applied before
 * it survive. Not up to where WAL is afterwards: what others have not committed is flushed when they do, and at the end of a page
 * that position lies behind a header which nobody has written.
 */
export async function makeDurable(sessions: Sessions, token: string, budget: Budget): Promise<void> {
  const { look, change } = sessions.target;
  const [applied] = await look.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  await change.run(marker('target'), { token: `${token} durable` });
  for (;;) {
    const [row] = await look.query<{ flushed: boolean }>('SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn AS flushed', [applied?.lsn]);
    if (row?.flushed) return;
    budget.signal.throwIfAborted();
    await breathe();
  }
}

/**
 * The slots of the source's other subscribers begin where the new side does. Everything that the target's WAL holds now came from the
 * source, which sends it to them itself.
 */
export async function moveSubscribers({ target }: Sessions, slots: readonly SubscriberFacts[]): Promise<void> {
  if (slots.length > 0) await target.change.run(movePlaces(slots));
}

/** The target's sequences go on where the source's stopped, never backwards. Returns how many there are. */
export async function carrySequences(sessions: Sessions, facts: MigrationFacts): Promise<number> {
  const command = setSequences(facts);
  if (!command) return 0;
  const { sequences } = facts.binding.source;
  const [source, target] = await Promise.all([
    readSequences(sessions.source.look, sequences),
    readSequences(sessions.target.look, sequences),
  ]);
  const values: Record<string, string | boolean> = {};
  sequences.forEach((sequence, index) => {
    const one = further(sequence, source[index], target[index]);
    values[`last_${index}`] = one.last.toString();
    values[`called_${index}`] = one.called;
  });
  await sessions.target.change.run(command, values);
  return sequences.length;
}

/** The reading from which the next value is further on. */
function further(sequence: SequenceFacts, source: Reading | undefined, target: Reading | undefined): Reading {
  if (!source || !target)
    throw new Failure('switch-abandoned', `the sequence ${sequence.schema}.${sequence.name} cannot be read`, { part: 'sequences' });
  return isAhead(sequence, target, source) ? target : source;
}

/** Whether the next value of `one` is beyond that of `other`, in the direction of the increment. */
export function isAhead(sequence: SequenceFacts, one: Reading, other: Reading): boolean {
  const step = BigInt(sequence.increment);
  const next = (reading: Reading): bigint => (reading.called ? reading.last + step : reading.last);
  return step > 0n ? next(one) > next(other) : next(one) < next(other);
}

/** In the order of `sequences`. Read from the sequences themselves: `pg_sequences` shows NULL without rights. */
export async function readSequences(look: Session, sequences: readonly SequenceFacts[]): Promise<(Reading | undefined)[]> {
  const readings: (Reading | undefined)[] = sequences.map(() => undefined);
  for (let from = 0; from < sequences.length; from += sequencesPerQuery) {
    const some = sequences.slice(from, from + sequencesPerQuery);
    const text = some.map(
      (one, index) => `SELECT ${from + index} AS place, last_value::text AS last, is_called AS called FROM ${qualified(one)}`,
    );
    for (const row of await look.query<{ place: number; last: string; called: boolean }>(text.join(' UNION ALL '))) {
      readings[row.place] = { last: BigInt(row.last), called: row.called };
    }
  }
  return readings;
}

/** Fixes the target's state at the switch for the comparison. From here on the exporting session sleeps on the snapshot. */
export async function fixSnapshot({ exporter }: Sessions, snapshotMs: number): Promise<{ snapshot: string; visible: string }> {
  await exporter.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const [row] = await exporter.run<{ snapshot: string; visible: string }>(exportSnapshot);
  if (!row) throw new Failure('switch-abandoned', 'the target exported no snapshot', { part: 'snapshot' });
  // Not awaited: a sleeping server process does not notice when its client is gone.
  exporter.run(keepSnapshot, { seconds: Math.ceil(snapshotMs / 1_000) }).catch(() => undefined);
  return row;
}
