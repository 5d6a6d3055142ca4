import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { Before } from '../../domain/step.ts';
import { requireOthers } from '../../domain/require-others.ts';
import { tagOf } from '../../domain/run.ts';
import type { Moves } from '../../control/contract.ts';
import { orReport } from '../engine/gather-findings.ts';
import type { FactsOrder } from '../engine/planner.ts';
import { readAlias } from '../pooling/config-file.ts';
import { inspectMigration, type BeforeFence, type Inspection } from '../postgres/inspect-migration.ts';
import type { Servers } from '../postgres/session.ts';
import type { MigrationFacts } from './facts.ts';
import { refuseClosedByMove, refuseMoved } from './refuse-moved.ts';

/**
 * The facts of a migration. What the run itself has made or set (its journal tells) never stands in them, so the facts of an
 * untouched world are equal before, during and after its steps. Reports an alias that the pooler does not have: the other facts are
 * taken as without a pooler. Raises `input-invalid` for a target that can't be one, and
 * `plan-impossible` when the database has been moved away from the server that the inventory names. `moves`: absent without the
 * control database.
 */
export function takeMigrationFacts(servers: Servers, moves?: Moves) {
  return async (order: FactsOrder): Promise<MigrationFacts> => {
    const { database, run, journal, report } = order;
    const target = String(order.input['target']);
    requireOthers({ target }, database, (called) => servers.entry(called));
    const before = (step: string): Before =>
      journal.findLast((intent) => intent.step === step && !intent.key.endsWith('/undo'))?.before ?? {};
    const moving = { database, target, targetEntry: servers.entry(target), run, moves };
    const facts = await inspectMigration(servers, {
      source: database,
      target,
      pooler: (await orReport(report, 'pooler alias', async () => await aliasOf(servers, database))) ?? null,
      ...(run === undefined ? {} : { tag: tagOf(run) }),
      ...beforeFences(before),
      ...publishedDefinitions(before('publish')),
      ...heldBefore(before('hold-triggers')),
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

function beforeFences(before: (step: string) => Before): { before: { source: BeforeFence; target: BeforeFence } } {
  const { sourceLimit, sourceConnects } = before('switch');
  const { connectionLimit, connects } = before('close-target');
  return { before: { source: fenceOf(sourceLimit, sourceConnects), target: fenceOf(connectionLimit, connects) } };
}

const connectGrants = z.array(z.object({ role: z.string().nullable(), grantable: z.boolean() }));

function fenceOf(limit: unknown, connects: unknown): BeforeFence {
  const grants = connectGrants.safeParse(connects);
  return { ...(typeof limit === 'number' ? { connectionLimit: limit } : {}), ...(grants.success ? { connects: grants.data } : {}) };
}

function publishedDefinitions({ definitions }: Before): { definitions?: string } {
  return typeof definitions === 'string' ? { definitions } : {};
}

const applyTriggers = z.array(
  z.object({
    table: z.object({ schema: z.string(), name: z.string() }).nullable(),
    name: z.string(),
    mode: z.string(),
    extension: z.string().nullable(),
    ofConstraint: z.boolean(),
  }),
);

function heldBefore({ triggers }: Before): Pick<Inspection, 'applyTriggers'> {
  const held = applyTriggers.safeParse(triggers);
  return held.success ? { applyTriggers: held.data } : {};
}

function ownObjectsOf(before: Before): { ownObjects?: string[] } {
  const made = before['makes'];
  return Array.isArray(made) ? { ownObjects: made.map(String) } : {};
}
