import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import { inspectSide } from '../postgres/inspect-side.ts';
import { replicatedTables } from './facts.ts';
import type { Sides } from './side.ts';

/**
 * Raises `objects-differ` unless the source has exactly the plan's tables, in their shapes, and the target each of them. Looked at
 * once the freeze is up: a table that came between plan and freeze would be left behind.
 */
export async function refuseChangedTables({ servers, migration, facts }: Sides): Promise<void> {
  const planned = new Map(replicatedTables(facts).map((table) => [qualified(table), table.shape]));
  const problems: string[] = [];
  for (const side of ['source', 'target'] as const) {
    const { tables } = await inspectSide(servers, migration[side], {});
    const seen = new Map(tables.filter((table) => table.persistence === 'permanent').map((table) => [qualified(table), table.shape]));
    for (const [name, shape] of planned) {
      if (!seen.has(name)) problems.push(`${migration[side]} lacks ${name}`);
      else if (seen.get(name) !== shape) problems.push(`${name} on ${migration[side]} has another shape`);
    }
    if (side === 'target') continue;
    for (const name of seen.keys()) if (!planned.has(name)) problems.push(`${migration[side]} has ${name}, which the plan does not know`);
  }
  if (problems.length === 0) return;
  throw new Failure('objects-differ', `the tables are not those of the plan: ${problems.slice(0, 10).join('; ')}`, {
    problems: problems.slice(0, 100),
  });
}
