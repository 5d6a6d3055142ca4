import type { Move, Moves } from './contract.ts';
import type { Db } from './db.ts';

/** A side of a migration, as the facts of the plan that its run followed name it. */
const sideIs = (side: 'source' | 'target'): string => `
  (binding -> '${side}' ->> 'systemIdentifier' = $1 AND binding -> '${side}' ->> 'databaseOid' = $2
   OR binding -> '${side}' ->> 'host' = $3 AND binding -> '${side}' ->> 'port' = $4 AND binding -> '${side}' ->> 'dbname' = $5)`;

/** The last switch that this database took part in. */
const lastSwitch = `
  WITH forward AS (
    SELECT n.run, n.at, r.input ->> 'target' AS target, facts.body::jsonb -> 'binding' AS binding
      FROM steadyhand.no_return n JOIN steadyhand.runs r ON r.run = n.run
      JOIN steadyhand.documents plan ON plan.digest = r.plan
      JOIN steadyhand.documents facts ON facts.digest = plan.body::jsonb ->> 'facts'
     WHERE n.side = 'forward')
  SELECT run, target, steadyhand.iso(at) AS at, ${sideIs('source')} AS left, binding -> 'target' ->> 'host' AS host,
    (binding -> 'target' ->> 'port')::integer AS port, binding -> 'target' ->> 'dbname' AS dbname
    FROM forward WHERE ${sideIs('source')} OR ${sideIs('target')} ORDER BY forward.at DESC LIMIT 1`;

type Row = Pick<Move, 'run' | 'target' | 'at'> & { left: boolean; host: string; port: number; dbname: string };

export function createMoves(db: Db): Moves {
  return {
    from: async (place) => {
      const parameters =
        'systemIdentifier' in place
          ? [place.systemIdentifier, String(place.databaseOid), null, null, null]
          : [null, null, place.host, String(place.port), place.dbname];
      const [last] = await db.query<Row>(lastSwitch, parameters);
      if (!last?.left) return null;
      const { run, target, at, host, port, dbname } = last;
      return { run, target, at, server: { host, port, dbname } };
    },
  };
}
