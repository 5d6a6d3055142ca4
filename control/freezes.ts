import { ulid } from 'ulid';
import { Failure } from '../domain/failure.ts';
import type { FreezeRow, Freezes } from './contract.ts';
import type { Db } from './db.ts';
import { eventText, tellingJson, told } from './event-text.ts';

export function createFreezes(db: Db): Freezes {
  const find = async (id: string): Promise<FreezeRow> => {
    const [row] = await db.query<FreezeRow>('SELECT * FROM steadyhand.freeze_rows WHERE id = $1', [id]);
    if (!row) throw new Failure('not-found', `there is no freeze ${id}; \`steadyhand freeze list\` has them`, { freeze: id });
    return row;
  };
  return {
    find,
    on: async ({ database, reason, until, by }) => {
      const made = { id: ulid(), database, reason, until };
      const { row } = await db.one<{ row: FreezeRow }>('SELECT steadyhand.freeze_on($1, $2) AS row', [
        tellingJson({ ...made, person: by.name }),
        eventText(by, made),
      ]);
      return row;
    },
    off: async (id, by, reason) => {
      await find(id);
      const values = [id, by.name, told(reason), eventText(by, { id, reason })];
      return (await db.one<{ row: FreezeRow }>('SELECT steadyhand.freeze_off($1, $2, $3, $4) AS row', values)).row;
    },
    list: ({ past }) => db.query<FreezeRow>('SELECT * FROM steadyhand.freeze_rows WHERE holds OR $1 ORDER BY id DESC LIMIT 200', [past]),
    of: async (database) => (await db.one<{ row: FreezeRow | null }>('SELECT steadyhand.freeze_of($1) AS row', [database])).row,
    forRun: async (run) => (await db.one<{ row: FreezeRow | null }>('SELECT steadyhand.freeze_for($1) AS row', [run])).row,
  };
}
