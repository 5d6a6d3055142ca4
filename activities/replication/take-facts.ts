import { Failure } from '../../domain/failure.ts';
import type { Before } from '../../domain/step.ts';
import { requireOthers } from '../../domain/require-others.ts';
import { tagOf } from '../../domain/run.ts';
import type { Moves } from '../../control/contract.ts';
import type { FactsOrder } from '../engine/planner.ts';
import { readAlias } from '../pooling/config-file.ts';
import { inspectMigration } from '../postgres/inspect-migration.ts';
import type { Servers } from '../postgres/session.ts';
import type { MigrationFacts } from './facts.ts';
import { refuseClosedByMove, refuseMoved } from './refuse-moved.ts';

/**
 * The facts of a migration. What the run itself has made or set (its journal tells) never stands in them, so the facts of an
 * untouched world are equal before, during and after its steps. Raises `input-invalid` for a target that can't be one, and
 * `plan-impossible` when the database has been moved away from the server that the inventory names. `moves`: absent without the
 * control database.
 */
export function takeMigrationFacts(servers: Servers, moves?: Moves) {
  return async (order: FactsOrder): Promise<MigrationFacts> => {
    const { database, run, journal } = order;
    const target = String(order.input['target']);
    requireOthers({ target }, database, (called) => servers.entry(called));
    const before = (step: string): Before =>
      journal.findLast((intent) => intent.step === step && !intent.key.endsWith('/undo'))?.before ?? {};
    const moving = { database, target, targetEntry: servers.entry(target), run, moves };
    const facts = await inspectMigration(servers, {
      source: database,
      target,
      pooler: await aliasOf(servers, database),
      ...(run === undefined ? {} : { tag: tagOf(run) }),
      ...limitsOf(before),
      ...ownObjectsOf(before('copy-schema')),
    }).catch(async (error: unknown) => {
      await refuseClosedByMove(moving, servers.entry(database).server, error);
      throw error;
    });
    await refuseMoved(moving, facts.binding);
    return facts;
  };
}

async function aliasOf(servers: Servers, database: string): Promise<MigrationFacts['binding']['pooler']> {
  const { pooler } = servers.entry(database);
  if (!pooler) return null;
  const address = await readAlias(pooler.configFile, pooler.alias);
  if (!address) {
    throw new Failure('plan-impossible', `the pooler of ${database} has no alias "${pooler.alias}" in ${pooler.configFile}`, { database });
  }
  return { alias: pooler.alias, host: address.host, port: address.port, dbname: address.dbname };
}

function limitsOf(before: (step: string) => Before): { connectionLimits: { source?: number; target?: number } } {
  const source = before('switch')['sourceLimit'];
  const target = before('close-target')['connectionLimit'];
  return {
    connectionLimits: {
      ...(typeof source === 'number' ? { source } : {}),
      ...(typeof target === 'number' ? { target } : {}),
    },
  };
}

function ownObjectsOf(before: Before): { ownObjects?: string[] } {
  const made = before['makes'];
  return Array.isArray(made) ? { ownObjects: made.map(String) } : {};
}
