import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Attempt } from '../../attempt.ts';
import type { Console } from '../../pooling/pgbouncer.ts';
import type { Servers, Session } from '../../postgres/session.ts';
import type { Migration } from '../contract.ts';
import type { MigrationFacts } from '../facts.ts';
import { openPooler } from './sessions.ts';

/** Connections to the new side and the pooler that are opened again after an error. */
export interface Lines {
  target(): Promise<Session>;
  /** A session of the new side that changes nothing. */
  look(): Promise<Session>;
  /** Null without a pooler. */
  console(): Promise<Console | null>;
  /** What is open may be broken: the next call opens anew. */
  drop(): void;
  /** Ends what was opened here; what was given at the beginning belongs to the giver. */
  end(): Promise<void>;
}

interface Where {
  readonly servers: Servers;
  readonly migration: Migration;
  readonly attempt: Attempt;
  readonly pooler: PoolerEntry | undefined;
}

export function createLines(
  where: Where,
  facts: MigrationFacts,
  first: { target?: Session; look?: Session; console?: Console | undefined },
): Lines {
  const opened: { end(): Promise<void> }[] = [];
  const { servers, migration, attempt } = where;
  let { target, look, console } = first;
  return {
    target: async () => {
      if (target) return target;
      target = await servers.open(migration.target, { purpose: 'change', step: attempt.step, identity: facts.binding.target });
      opened.push(target);
      return target;
    },
    look: async () => {
      if (look) return look;
      look = await servers.open(migration.target, { purpose: 'look', identity: facts.binding.target });
      opened.push(look);
      return look;
    },
    console: async () => {
      if (!where.pooler) return null;
      if (console) return console;
      console = await openPooler(where.servers, where.pooler);
      opened.push(console);
      return console;
    },
    drop: () => {
      target = undefined;
      look = undefined;
      console = undefined;
    },
    end: async () => {
      await Promise.all(opened.map((one) => one.end()));
    },
  };
}
