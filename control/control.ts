import { Failure } from '../domain/failure.ts';
import { createAttempts } from './attempts.ts';
import type { Control } from './contract.ts';
import { readCounts } from './counts.ts';
import { createDb, type DbOptions } from './db.ts';
import { createDocuments } from './documents.ts';
import { createEvents } from './events.ts';
import { createFreezes } from './freezes.ts';
import { createLeases } from './lease.ts';
import { createLeftovers } from './leftovers.ts';
import { createMoves } from './moves.ts';
import { createNoReturn } from './no-return.ts';
import { createProofs } from './proofs.ts';
import { createQuestions } from './questions.ts';
import { createRequests } from './requests.ts';
import { createRuns } from './runs.ts';
import { readSchemaGap } from './schema-gap.ts';
import { createTokens } from './tokens.ts';

/** Searches of the record and its verification have connections of their own: nothing else waits behind them. */
const audit = { max: 3, statementMs: 5_000 };

/** The control database through its pools, with the application's role. Connects with the first call; always `close()` it. */
export function createControl(options: DbOptions): Control {
  const db = createDb(options);
  const auditDb = createDb({ ...options, ...audit, applicationName: `${options.applicationName} audit` });
  return {
    requests: createRequests(db),
    runs: createRuns(db),
    events: createEvents(db, auditDb),
    questions: createQuestions(db),
    lease: createLeases(db),
    freezes: createFreezes(db),
    attempts: createAttempts(db),
    leftovers: createLeftovers(db),
    noReturn: createNoReturn(db),
    moves: createMoves(db),
    proofs: createProofs(db),
    documents: createDocuments(db),
    tokens: createTokens(db),
    ping: async () => {
      // A table of ours, so that a database without the schema is noticed here.
      const row = await db.one<{ standby: boolean }>(
        'SELECT pg_is_in_recovery() AS standby FROM (SELECT count(*) FROM steadyhand.migrations) applied',
      );
      if (row.standby) throw new Failure('control-database-unavailable', 'the control database is a standby, so nothing can be recorded');
    },
    schemaGap: () => readSchemaGap(db),
    counts: () => readCounts(db),
    systemIdentifier: async () =>
      (await db.one<{ identifier: string }>('SELECT system_identifier::text AS identifier FROM pg_control_system()')).identifier,
    close: async () => {
      await Promise.all([db.end(), auditDb.end()]);
    },
  };
}
