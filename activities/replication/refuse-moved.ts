import type { Move, Moves } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { DatabaseEntry } from '../../domain/inventory.ts';
import { areFenced } from '../postgres/connect-grants.ts';
import { isKeptOut } from '../postgres/errors.ts';
import type { MigrationFacts, SideFacts } from './facts.ts';

interface Moving {
  readonly database: string;
  readonly target: string;
  readonly targetEntry: DatabaseEntry;
  /** The run that asks: past its own switch it is no stranger. */
  readonly run: string | undefined;
  /** Absent when the plan is made without the control database. */
  readonly moves: Moves | undefined;
}

/**
 * Raises `plan-impossible` when the database has been moved away and the inventory still names its old server: the control
 * database knows the switch, and the old side is closed or the pooler leads elsewhere. An old side that people have opened again
 * is a side like any other.
 */
export async function refuseMoved(moving: Moving, { source, pooler }: MigrationFacts['binding']): Promise<void> {
  const move = (await moving.moves?.from(source)) ?? null;
  if (move !== null && move.run === moving.run) return;
  const leadsTo = pooler && `the pooler’s alias ${pooler.alias} leads to ${addressText(pooler)}`;
  const leadsAway = pooler !== null && sameAddress(pooler, move?.server ?? moving.targetEntry.server);
  if (move) {
    const signs = [...(isClosed(source) ? ['it is closed to clients'] : []), ...(leadsAway && leadsTo ? [leadsTo] : [])];
    if (signs.length > 0) throw movedAway(moving, move, signs);
  } else if (leadsAway && leadsTo) {
    const { host, port, dbname } = moving.targetEntry.server;
    throw new Failure(
      'plan-impossible',
      `${leadsTo}, which is ${moving.target}: ${moving.database} seems to be there already. If it was moved, ${mend(moving.database, { host, port, dbname })}`,
    );
  }
}

const isClosed = ({ connectionLimit, connects, logins }: SideFacts): boolean =>
  connectionLimit === 0 || (connects !== null && areFenced(connects, logins));

/** For a login that was refused because the database lets nobody in: nobody can look, but the control database may know why. */
export async function refuseClosedByMove(moving: Moving, server: DatabaseEntry['server'], refused: unknown): Promise<void> {
  if (!isKeptOut(refused)) return;
  if (!String(refused.facts['where']).startsWith(`${moving.database} (`)) return;
  const { host, port, dbname } = server;
  const move = (await moving.moves?.from({ host, port, dbname })) ?? null;
  if (move && move.run !== moving.run) throw movedAway(moving, move, ['it lets nobody in']);
}

function movedAway({ database }: Moving, move: Move, signs: readonly string[]): Failure {
  return new Failure(
    'plan-impossible',
    `${database} was moved to ${move.target} by ${move.run} on ${dayText(move.at)}, and the inventory still names the old server: ` +
      `${signs.join(', ')}. Nothing was touched; ${mend(database, move.server)}`,
    { database, movedBy: move.run, movedTo: move.target, movedAt: move.at, server: move.server },
  );
}

const mend = (database: string, { host, port, dbname }: Move['server']): string =>
  `change the inventory: databases.${database}.server with host: ${host}, port: ${port}, dbname: ${dbname}`;

interface Address {
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
}

const sameAddress = (one: Address, other: Address): boolean =>
  one.host === other.host && one.port === other.port && one.dbname === other.dbname;

const addressText = ({ host, port, dbname }: Address): string => `${host}:${port}/${dbname}`;

/** "2026-11-21 03:04 UTC" of an ISO 8601 moment. */
const dayText = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
