import { ulid } from 'ulid';
import type { Db } from './db.ts';
import { engine, eventText, tellingJson } from './event-text.ts';
import type { ProofRow, Proofs } from './proof-contract.ts';

export function createProofs(db: Db): Proofs {
  return {
    record: async (proof) => {
      const made = { id: ulid(), ...proof };
      const { id, database, verified, backup, recoveredTo } = made;
      const event = eventText(engine, { id, database, verified, backup, recoveredTo });
      return (await db.one<{ row: ProofRow }>('SELECT steadyhand.record_proof($1, $2) AS row', [tellingJson(made), event])).row;
    },
    list: ({ database, before, limit }) =>
      db.query<ProofRow & Record<string, unknown>>(
        `SELECT * FROM steadyhand.proof_rows
          WHERE ($2::text IS NULL OR database = $2) AND ($3::text IS NULL OR id < upper($3)) ORDER BY id DESC LIMIT $1`,
        [limit, database ?? null, before ?? null],
      ),
    last: async () => {
      const rows = await db.query<{ database: string; at: string }>(
        `SELECT database, steadyhand.iso(max(at)) AS at FROM steadyhand.proofs WHERE verified = 'restored-and-queried' GROUP BY database`,
      );
      return Object.fromEntries(rows.map((row) => [row.database, row.at]));
    },
  };
}
