import type { z } from 'zod';
import type { Actor, Leftover } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import { databaseOf } from '../domain/inventory.ts';
import type { TaggedObject } from '../domain/leftover.ts';
import { runNameOf } from '../domain/run.ts';
import { databasesOf, whyNotSafe } from '../domain/why-not-safe.ts';
import type { clearingSchema, janitorSchema } from './janitor-answers.ts';
import { lookAtProviders } from './look-at-providers.ts';
import type { ApiParts } from './parts.ts';
import { requireGroup } from './require-group.ts';
import { findRecord } from './routes/runs.ts';

type Found = z.infer<typeof janitorSchema>;

/** Looks only. A database that does not answer is named with why; the others are told all the same. */
export async function lookAround(parts: ApiParts, only?: string): Promise<Found> {
  const inventory = parts.inventory();
  if (only !== undefined) databaseOf(inventory, only);
  const databases = only === undefined ? Object.keys(inventory.databases) : [only];
  // All of them: what a run made may stand on another database than the one that it is of.
  const leftovers = await parts.control.leftovers.list();
  const known = await Promise.all(leftovers.map(async (one) => await told(parts, one)));
  const looks = await Promise.all(databases.map(async (database) => ({ database, ...(await parts.tagged(database)) })));
  const objects = await Promise.all(looks.flatMap((look) => look.objects).map(async (one) => await judged(parts, one, known)));
  const atProviders = await lookAtProviders(parts, databases, known);
  const runs = known.filter((one) => databases.includes(one.database));
  const ofOthers = (one: { database: string }): boolean => only !== undefined && one.database !== only;
  return {
    runs,
    objects: [...objects.flat(), ...atProviders.objects.filter((one) => !ofOthers(one))],
    kept: atProviders.kept.filter((one) => !ofOthers(one)),
    unseen: [...looks.flatMap(({ database, unseen }) => unseen.map((because) => ({ database, because }))), ...atProviders.unseen],
  };
}

async function told(parts: ApiParts, leftover: Leftover): Promise<Found['runs'][number]> {
  const { run, database, outcome, because, closedAt, lease, leases, intents } = leftover;
  const unsafe = (await unsafeBecause(parts, leftover)) ?? null;
  const { id } = runNameOf(run);
  const commands = {
    clear: `steadyhand janitor --remove ${id} --reason '…'`,
    nothing: leases.map((one) => `steadyhand lease release ${one} --reason '…'`).join('; '),
    byHand: `steadyhand show ${id}`,
  };
  const command = unsafe !== null ? commands.byHand : intents.length === 0 ? commands.nothing : commands.clear;
  const left = intents.map(({ step, at, outcome: came }) => ({ step, at, outcome: came }));
  return { run, database, outcome, because, closedAt, lease, left, safe: unsafe === null && left.length > 0, unsafe, command };
}

async function unsafeBecause({ control, catalog }: ApiParts, leftover: Leftover): Promise<string | undefined> {
  return whyNotSafe(catalog, leftover, await control.leftovers.changedSince(leftover, databasesOf(catalog, leftover)));
}

/** Nothing for what an open run is at work with. What bears no run's name is an open run's while one has the lease. */
async function judged(parts: ApiParts, object: TaggedObject, runs: Found['runs']): Promise<Found['objects']> {
  const { database, kind, name, tag, byHand } = object;
  const owner = tag === null ? null : await parts.control.runs.detail(tag.replace('steadyhand_', ''));
  const holder = tag === null ? await parts.control.lease.find(database) : null;
  if (owner?.state !== 'closed' && owner) return [];
  if (holder?.state === 'held') return [];
  const run = owner?.run ?? null;
  const known = runs.find((one) => one.run === run || (tag === null && one.database === database));
  const command = known?.safe === true ? known.command : byHand;
  return [{ database, kind, name, region: null, run, owner: run === null ? 'unknown' : 'closed', command }];
}

/**
 * Writes down who asked and why, then starts the workflow that does it. Throws `not-found`, `forbidden`, and `conflict` when there
 * is nothing that could be taken back safely, or somebody is at it.
 */
export async function clearUpAfter(parts: ApiParts, id: string, by: Actor, reason: string): Promise<z.infer<typeof clearingSchema>> {
  const { run, database } = await findRecord(parts, id);
  requireGroup(parts.inventory(), database, by.name, 'operators', `clear up on "${database}"`);
  const leftover = await parts.control.leftovers.find(run);
  if (!leftover) throw new Failure('conflict', `${run} has left nothing behind under its lease`, { run });
  const unsafe = await unsafeBecause(parts, leftover);
  if (unsafe !== undefined) throw new Failure('conflict', `what ${run} left is not taken back: ${unsafe}`, { run });
  await parts.temporal.health();
  const asked = await parts.control.events.append({ run, kind: 'janitor.asked', actor: by, data: { reason } });
  await parts.temporal.clearUp(run, { asked });
  return { run, asked };
}
