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
      const { newest, lost } = await db.one<{ newest: number | null; lost: Lost | null }>(
        'SELECT (SELECT number FROM steadyhand.attempts WHERE key = $1) AS newest, steadyhand.lost_lease($2, $3) AS lost',
        [key, database, run],
      );
      if (newest !== number) throw superseded(key, number, newest);
      if (lost) throw leaseLost(run, lost);
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

interface Lost {
  readonly database: string;
  readonly holder: string | null;
  readonly state: string | null;
}

function leaseLost(run: string, { database, holder, state }: Lost): Failure {
  const now = holder === null ? 'taken by nobody' : `${state}, last taken by ${holder}`;
  return new Failure('lease-lost', `${run} does not hold the lease of ${database}: it is ${now}`, { database, holder, state });
}
