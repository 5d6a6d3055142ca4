import { z } from 'zod';
import type { ProofRow } from '../../control/proof-contract.ts';
import { against } from '../../domain/finding.ts';
import type { Inventory } from '../../domain/inventory.ts';
import { heldBy, judgeBackups, type Judged } from '../../domain/retention.ts';
import { verificationSchema } from '../../domain/verification.ts';
import type { FactsOrder } from '../engine/planner.ts';
import { capable, type Providers } from '../providers/provider-of.ts';
import type { Snapshot } from '../providers/answers.ts';
import type { BackupFacts, BackupOrder, OldCopy } from '../providers/backup-facts.ts';
import type { CopyAbroadFacts } from './copy-abroad-facts.ts';
import type { BackupDependencies } from './create-backup-activities.ts';

interface Places {
  readonly servers: BackupDependencies['servers'];
  readonly providers: Providers;
}

/** The facts of a backup now: read-only. Reports and raises what the provider's `inspect` does. */
export function takeBackupFacts(places: Places) {
  return async (order: FactsOrder): Promise<BackupFacts> => await inspected(places, order, { snapshot: true });
}

async function inspected(
  { servers, providers }: Places,
  { database, run, report }: FactsOrder,
  wanted: Omit<BackupOrder, 'database' | 'run'>,
): Promise<BackupFacts> {
  const { inspect } = capable(providers[servers.entry(database).provider], 'restore', database);
  return await inspect({ database, ...(run === undefined ? {} : { run }), ...wanted }, report);
}

const removal = z.object({ instance: z.string(), early: z.boolean() });

/**
 * The facts of the removal of an old instance, read-only. Reports and raises what `inspectOld` does, and reports one that an entry of
 * the inventory points to, by its name or its address.
 */
export function takeOldFacts({ servers, providers }: Places, inventory: () => Inventory) {
  return async ({ database, run, input, report }: FactsOrder): Promise<BackupFacts> => {
    const { inspectOld } = capable(providers[servers.entry(database).provider], 'remove', database);
    const { instance, early } = removal.parse(input);
    const { binding, observed } = await inspectOld({ database, instance, early, ...(run === undefined ? {} : { run }) }, report);
    const { source, old } = binding;
    const pointing = Object.entries(inventory().databases).find(
      ([, { rds, server }]) =>
        (rds?.instance === source.id && rds.region === source.region) || (server.host === old?.host && server.port === old.port),
    );
    if (pointing) {
      const evidence = `the inventory's "${pointing[0]}" points to "${instance}"`;
      report([against('inventory', evidence, 'Correct the inventory, or keep the instance.')]);
    }
    return { binding, observed };
  };
}

/** What tells which copies are good, and which are of this installation's runs. */
export interface Ledger {
  /** The proofs of a database, newest first, a page at a time. */
  proofs(filter: { database: string; before?: string | undefined; limit: number }): Promise<ProofRow[]>;
  isKnown(run: string): Promise<boolean>;
}

const asked = z.object({ snapshot: z.enum(['newest', 'new']), verification: z.string(), prune: z.boolean() });

/**
 * The facts of a copy into the other region, read-only. All that is missing of its kit is reported. They name the earlier
 * copies there that would go; this run's own is none of them. `ledger`: absent when the control database is away, then nothing is
 * pruned.
 */
export function takeCopyAbroadFacts(places: Places, ledger?: Ledger) {
  return async (order: FactsOrder): Promise<CopyAbroadFacts> => {
    const { database, run } = order;
    const { snapshot, verification, prune } = asked.parse(order.input);
    const { verification: rules } = places.servers.entry(database);
    const { binding, observed } = await inspected(places, order, {
      copy: snapshot,
      snapshot: snapshot === 'new',
      ...(verification === 'none' ? {} : { from: { kind: 'own-copy' } }),
    });
    const region = binding.copy?.region ?? '';
    const copies = prune ? (await wholeCopies(places, database)).filter((one) => one.run !== run) : [];
    const earlier = ledger ? await judged(ledger, database, copies) : null;
    const goes = copies.filter(({ id }) => earlier?.some((one) => one.id === id && !one.keep));
    const newestGood = earlier?.find(({ good }) => good);
    return {
      binding: {
        ...binding,
        verification: { rules: rules ?? verificationSchema.parse({}), target: null },
        prune:
          prune && ledger
            ? {
                ...{ region, remove: goes.map(oldCopyFrom) },
                newestGood: copies.filter(({ id }) => id === newestGood?.id).map(oldCopyFrom)[0] ?? null,
              }
            : null,
      },
      observed: { ...observed, earlier },
    };
  };
}

type EarlierCopy = Snapshot & OldCopy;

const oldCopyFrom = ({ id, arn, run, takenAt }: EarlierCopy): OldCopy => ({ id, arn, run, takenAt });

/** Whole ones that a run has made. */
async function wholeCopies({ servers, providers }: Places, database: string): Promise<EarlierCopy[]> {
  const found = await capable(providers[servers.entry(database).provider], 'copy', database).listCopies(database);
  return found.flatMap((one) => {
    const { run, takenAt, status, automated } = one;
    return run === null || takenAt === null || automated || status !== 'available' ? [] : [{ ...one, run, takenAt }];
  });
}

/** Without its proofs a copy must not go for want of them: what runs of another installation made stays. */
async function judged(ledger: Ledger, database: string, copies: readonly EarlierCopy[]): Promise<Judged[]> {
  const good = copies.length === 0 ? new Set<string>() : await provedBackups(ledger, database);
  const seen = copies.map(async ({ id, takenAt, tags, run }) => {
    const held = heldBy(tags) ?? ((await ledger.isKnown(run)) ? null : `its run ${run} is not known here`);
    return { id, takenAt, good: good.has(id), held };
  });
  return judgeBackups(await Promise.all(seen));
}

const pageLength = 500;

async function provedBackups(ledger: Ledger, database: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let before: string | undefined;
  for (;;) {
    const page = await ledger.proofs({ database, before, limit: pageLength });
    for (const { backup, verified } of page) if (verified === 'restored-and-queried') found.add(backup);
    before = page.at(-1)?.id;
    if (page.length < pageLength) return found;
  }
}
