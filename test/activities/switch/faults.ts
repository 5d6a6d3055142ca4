import type { Servers, Session } from '../../../activities/postgres/session.ts';
import type { NoReturn } from '../../../control/contract.ts';
import { Failure } from '../../../domain/failure.ts';

/** The servers, but a planned command of `database` whose text contains `text` fails once, or hangs until `release`. */
export function withFault(servers: Servers, database: string, text: string, fault: (() => Promise<void>) | Error): Servers {
  let armed = true;
  return withSessions(servers, database, (session) => ({
    ...session,
    run: async (command, values) => {
      if (armed && command.text.includes(text)) {
        armed = false;
        if (fault instanceof Error) throw fault;
        await fault();
      }
      return await session.run(command, values);
    },
  }));
}

/** The servers, but before each look at `database` whose text contains `text` something else happens. */
export function beforeLook(servers: Servers, database: string, text: string, happens: () => Promise<void>): Servers {
  return withSessions(servers, database, (session) => ({
    ...session,
    query: async (query, values) => {
      if (query.includes(text)) await happens();
      return await session.query(query, values);
    },
  }));
}

function withSessions(servers: Servers, database: string, change: (session: Session) => Session): Servers {
  const open: Servers['open'] = async (name, opening) => {
    const session = await servers.open(name, opening);
    return name === database ? change(session) : session;
  };
  return { ...servers, open };
}

export interface MemoryNoReturn extends NoReturn {
  /** What the next `decide` does: throw before it writes, or write and lose the answer. */
  next: 'work' | 'refuse-connection' | 'lose-answer';
  decides: number;
}

export function createNoReturn(newest: () => number): MemoryNoReturn {
  const rows = new Map<string, { side: 'forward' | 'back'; facts: Readonly<Record<string, unknown>> }>();
  const self: MemoryNoReturn = {
    next: 'work',
    decides: 0,
    read: (key) => Promise.resolve(rows.get(key) ?? null),
    decide: async (key, attempt, side, facts) => {
      await Promise.resolve();
      self.decides += 1;
      const { next } = self;
      self.next = 'work';
      if (next === 'refuse-connection') {
        const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
        throw new Failure('control-database-unavailable', 'the control database does not answer', {}, cause);
      }
      if (attempt.number < newest()) throw new Failure('superseded', 'a newer attempt is at work');
      if (!rows.has(key)) rows.set(key, { side, facts: structuredClone(facts) });
      if (next === 'lose-answer') throw new Failure('control-database-unavailable', 'Connection terminated unexpectedly');
      return rows.get(key)?.side ?? side;
    },
  };
  return self;
}
