import type { z } from 'zod';
import type { RunDetail } from '../control/contract.ts';
import type { OwnedObject } from '../domain/leftover.ts';
import { runNameOf } from '../domain/run.ts';
import type { janitorSchema } from './janitor-answers.ts';
import type { ApiParts } from './parts.ts';

type Found = z.infer<typeof janitorSchema>;

/**
 * What runs have made at the databases' providers: left, or kept on purpose; looks only. Each thing once, though a region is looked at
 * for every database that has something there. `known`: the runs that have left something under their lease.
 */
export async function lookAtProviders(parts: ApiParts, databases: readonly string[], known: Found['runs']): Promise<Omit<Found, 'runs'>> {
  const looks = await Promise.all(databases.map(async (database) => ({ database, ...(await parts.owned(database)) })));
  const seen = new Map(looks.flatMap(({ database, objects }) => objects.map((one) => [one.identity, { database, object: one }])));
  const told = await Promise.all([...seen.values()].map(async (one) => await judgedAtProvider(parts, one, known)));
  return {
    objects: told.flatMap(({ left }) => left ?? []),
    kept: told.flatMap(({ kept }) => kept ?? []),
    unseen: looks.flatMap(({ database, unseen }) => unseen.map((because) => ({ database, because }))),
  };
}

interface AtProvider {
  readonly left?: Found['objects'][number];
  readonly kept?: Found['kept'][number];
}

/**
 * Nothing for what an open run is at work with, and for what a run has put in use: no command here ever removes what serves under the
 * inventory's name.
 */
async function judgedAtProvider(
  parts: ApiParts,
  { database: seenFor, object }: { readonly database: string; readonly object: OwnedObject },
  runs: Found['runs'],
): Promise<AtProvider> {
  const { kind, name, region, byHand } = object;
  const row = await parts.control.runs.detail(object.run);
  if (!row) return { left: { database: seenFor, kind, name, region, run: object.run, owner: 'unknown', command: null } };
  if (row.state !== 'closed') return {};
  const { run, database } = row;
  const about = { database, kind, name, region, run };
  const known = runs.find((one) => one.run === run);
  const inUse = isInUse(parts, object);
  const succeeded = !known && row.outcome === 'succeeded';
  // What it was to leave is wanted from its step without return on, whatever came after: nobody is told to remove a proved copy.
  const begun = known?.left.some(({ step }) => parts.catalog[row.runbook]?.steps[step]?.pointOfNoReturn === true) ?? false;
  if (succeeded || begun) {
    const kept = inUse ? undefined : whatIsKept(parts, { ...row, succeeded }, object);
    if (kept) return { kept: { ...about, since: object.since, due: object.removeAfter, ...kept } };
    if (inUse && succeeded) return {};
  }
  const remove = inUse ? `steadyhand show ${runNameOf(run).id}` : byHand;
  return { left: { ...about, owner: 'closed', command: known?.safe === true ? known.command : remove } };
}

function whatIsKept(
  { catalog }: ApiParts,
  { runbook, database, input, succeeded }: Pick<RunDetail, 'runbook' | 'database' | 'input'> & { readonly succeeded: boolean },
  { kind, name, step, removeAfter, byHand }: OwnedObject,
): { what: string; command: string } | undefined {
  if (removeAfter !== null) {
    return { what: 'the instance that was in use before a switch', command: `steadyhand start remove-old ${database} -i instance=${name}` };
  }
  if (step === null) return { what: 'the last snapshot of an instance that was removed', command: byHand };
  const known = catalog[runbook];
  const parsed = known?.input.safeParse(input);
  // Nobody is told to remove what was kept, only since its runbook is another one by now.
  if (!known || !parsed?.success) return { what: `of an earlier version’s ${runbook}`, command: byHand };
  // A run that succeeded has removed the snapshots that it had no use for; an instance costs too much to be taken for wanted.
  const what = known.keeps?.(parsed.data)[step] ?? (succeeded && kind === 'snapshot' ? `made by its step ${step}` : undefined);
  return what === undefined ? undefined : { what, command: byHand };
}

function isInUse({ inventory }: ApiParts, { kind, name, region }: OwnedObject): boolean {
  const entries = Object.values(inventory().databases);
  return kind === 'instance' && entries.some(({ rds }) => rds?.instance === name && rds.region === region);
}
