import type { NoReturn } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { engine, eventText } from './event-text.ts';

interface Stands extends Record<string, unknown> {
  side: 'forward' | 'back';
  facts: Readonly<Record<string, unknown>>;
}

export function createNoReturn(db: Db): NoReturn {
  return {
    read: async (key) => (await db.query<Stands>('SELECT side, facts FROM steadyhand.no_return WHERE key = $1', [key]))[0] ?? null,
    decide: async (key, attempt, side, facts) => {
      const { attemptKey, number, database } = attempt;
      const text = eventText(engine, { key, side, facts, attempt: attemptKey, number, database });
      const { stands } = await db.one<{ stands: 'forward' | 'back' }>('SELECT steadyhand.decide_no_return($1, $2, $3, $4, $5) AS stands', [
        key,
        asJson(attempt),
        side,
        asJson(facts),
        text,
      ]);
      return stands;
    },
  };
}
