import { Failure } from '../domain/failure.ts';
import { digestOf } from '../domain/digest.ts';
import type { Before } from '../domain/step.ts';
import type { Attempts, Intent } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { engine, eventText } from './event-text.ts';

const intentColumns = 'key, run, step, before, "at", outcome';

/** The journal of what runs are about to do. Claim, intend and settle are one round trip each. */
export function createAttempts(db: Db): Attempts {
  return {
    claim: async ({ key, run, step, generation, undo }) => {
      const { claimed } = await db.one<{ claimed: { number: number; intended: Before | null } }>(
        'SELECT steadyhand.claim_attempt($1, $2, $3, $4, $5) AS claimed',
        [key, run, step, generation, undo],
      );
      return claimed;
    },
    current: async ({ key, number, run, database }) => {
      const row = await db.one<{ newest: number | null; holder: string | null; state: string | null }>(
        `SELECT (SELECT number FROM steadyhand.attempts WHERE key = $1) AS newest, l.holder, l.state
         FROM (SELECT) one LEFT JOIN steadyhand.leases l ON l.database = $2`,
        [key, database],
      );
      if (row.newest !== number) throw superseded(key, number, row.newest);
      if (row.holder !== run || row.state !== 'held') throw leaseLost(database, run, row.holder, row.state);
    },
    intend: async ({ key, number, run, step, database, before }) => {
      // The image itself stays in the journal; its digest in the audit shows if somebody edits it there.
      const text = eventText(engine, { key, step, number, database, before: digestOf(before) });
      const { first } = await db.one<{ first: Before }>('SELECT steadyhand.intend_attempt($1, $2, $3, $4, $5, $6) AS first', [
        key,
        number,
        run,
        database,
        asJson(before),
        text,
      ]);
      return first;
    },
    settle: async ({ key, number, run, step }, outcome) => {
      const text = eventText(engine, { key, step, number, outcome });
      await db.query('SELECT steadyhand.settle_attempt($1, $2, $3, $4, $5)', [key, number, run, outcome, text]);
    },
    unsettled: (run) => db.query<Intent>(`SELECT ${intentColumns} FROM steadyhand.left_behind($1)`, [run]),
    journal: (run) => db.query<Intent>(`SELECT ${intentColumns} FROM steadyhand.intent_rows WHERE run = $1 ORDER BY moment, key`, [run]),
  };
}

function superseded(key: string, number: number, newest: number | null): Failure {
  return new Failure('superseded', `attempt ${number} of ${key} has given way to attempt ${newest ?? '(none)'}`, { key, number, newest });
}

function leaseLost(database: string, run: string, holder: string | null, state: string | null): Failure {
  const now = holder === null ? 'taken by nobody' : `${state}, last taken by ${holder}`;
  return new Failure('lease-lost', `${run} does not hold the lease of ${database}: it is ${now}`, { database, holder, state });
}
