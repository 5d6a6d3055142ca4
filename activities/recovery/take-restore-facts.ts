import { decodeTime } from 'ulid';
import { z } from 'zod';
import { accidentOf, accidentSchema } from '../../domain/accident.ts';
import type { DatabaseEntry, Inventory } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import { verificationSchema } from '../../domain/verification.ts';
import { FactsMissing, orReport } from '../engine/gather-findings.ts';
import type { FactsOrder } from '../engine/planner.ts';
import type { Servers } from '../postgres/session.ts';
import type { BackupFacts, RestoreFrom } from '../providers/backup-facts.ts';
import { capable, type Providers } from '../providers/provider-of.ts';
import type { Provider, Restored } from '../providers/provider.ts';
import { findAccident, type FoundAccident } from './find-accident.ts';
import type { FactsOfCopy, FactsOfVerification } from './facts.ts';
import type { FactsOfSwitch } from './switch/facts.ts';
import { takeSwitchingFacts, type SeenSwitching } from './switch/take-switching-facts.ts';
import { reportConditions, takeCopyFacts, type SeenCopy } from './take-copy-facts.ts';

/** What is looked up for a restore beside: of the instance, and of the restored copy as soon as there is one. */
export interface RestoreFacts {
  readonly binding: BackupFacts['binding'] &
    FactsOfVerification['binding'] &
    FactsOfCopy['binding'] &
    FactsOfSwitch['binding'] & {
      /** Where the restored copy answers; null before it does. */
      readonly restored: Restored | null;
      /** What the moment was looked for by, and how it was found; absent when people named it, or the copy is there already. */
      readonly found?: FoundAccident['binding'];
    };
  readonly observed: BackupFacts['observed'] & {
    /** Of the chosen tables on the restored copy. */
    readonly chosen: SeenCopy['observed'] | null;
    readonly found?: FoundAccident['observed'];
    /** Of a switch-over. */
    readonly switching: SeenSwitching['observed'] | null;
  };
}

const chosen = z.object({
  moment: z.string().optional(),
  snapshot: z.string().optional(),
  before: accidentSchema.optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the input
  then: z.string(),
  tables: z.array(z.object({ schema: z.string(), name: z.string(), where: z.string().optional() })),
  keepOldDays: z.number(),
});

/** What the facts are taken of. */
interface Asked {
  readonly order: FactsOrder;
  readonly servers: Servers;
  readonly provider: Provider;
  readonly entry: DatabaseEntry;
  readonly input: z.infer<typeof chosen>;
}

/**
 * The facts of a restore, read-only. Before there is a restored copy nothing of it stands in them, so the first approval binds to
 * what is there; once it answers, the chosen tables are looked up on both sides, for the second one. Reports `input-invalid` for a
 * moment or a condition that is none, and what `inspect`, `takeCopyFacts` and `takeSwitchingFacts` find. Each of these looks is made
 * even when another one was refused, so people see all that stands against the run at once.
 */
export function takeRestoreFacts(servers: Servers, providers: Providers, inventory: () => Inventory) {
  return async (order: FactsOrder): Promise<RestoreFacts> => {
    const { database, run, journal, report } = order;
    const entry = servers.entry(database);
    const input = chosen.parse(order.input);
    const asked: Asked = { order, servers, entry, input, provider: providers[entry.provider] };
    const isSwitch = input.then === 'switch-over';
    await reportConditions(input.tables, report);
    const found = await foundAccident(asked);
    const facts = await orReport(report, 'instance', async () => await inspected(asked, found));
    const restored = run === undefined || !facts ? null : await capable(asked.provider, 'restore', database).find(facts, run);
    const recovery = { database, restored: restored ? addressOf(restored) : {} };
    const copy =
      restored && input.tables.length > 0
        ? await orReport(report, 'tables', async () => await takeCopyFacts(servers, recovery, input.tables, { report }))
        : null;
    const from = facts?.binding.restore?.from;
    const target = from?.kind === 'moment' ? from.at : null;
    const of = { servers, recovery, isRestored: restored !== null, since: target, newestRow: entry.verification?.newestRow, journal };
    const also = { ownRoles: asked.provider.ownRoles, inventory: inventory() };
    const switching = isSwitch
      ? await orReport(report, 'switch-over', async () => await takeSwitchingFacts({ ...of, ...also }, report))
      : null;
    if (found === undefined || !facts || copy === undefined || switching === undefined) throw new FactsMissing();
    const verification = { rules: entry.verification ?? verificationSchema.parse({}), target };
    return {
      binding: {
        ...{ ...facts.binding, restored, verification, copyBack: copy?.binding ?? null, switching: switching?.binding ?? null },
        ...(found ? { found: found.binding } : {}),
      },
      observed: {
        ...{ ...facts.observed, chosen: copy?.observed ?? null, switching: switching?.observed ?? null },
        ...(found ? { found: found.observed } : {}),
      },
    };
  };
}

/** null: nothing is looked for; undefined: nothing tells when it happened, which is reported. */
async function foundAccident({ order, servers, provider, entry, input }: Asked): Promise<FoundAccident | null | undefined> {
  const { database, run, journal, report } = order;
  if (!input.before || (input.moment ?? momentRestored(journal)) !== undefined) return null;
  const accident = accidentOf(input.before);
  const search = { servers, logs: capable(provider, 'logs', database), database, accident, until: askedAt(run) };
  return await orReport(report, 'moment', async () => await findAccident({ ...search, newestRow: entry.verification?.newestRow }));
}

async function inspected({ order, provider, input }: Asked, found: FoundAccident | null | undefined): Promise<BackupFacts> {
  const { database, run, journal, report } = order;
  const { inspect } = capable(provider, 'restore', database);
  // Where no moment was found, what else stands against a restore does not depend on it.
  const at = input.moment ?? momentRestored(journal) ?? found?.binding.moment ?? `${new Date().toISOString().slice(0, 19)}Z`;
  const from: RestoreFrom = input.snapshot === undefined ? { kind: 'moment', at } : { kind: 'snapshot', id: input.snapshot };
  const swap = input.then === 'switch-over' ? { snapshot: true, keepOldDays: input.keepOldDays } : {};
  return await inspect({ database, from, ...(run === undefined ? {} : { run }), ...swap }, report);
}

/** A run's name tells when it was asked for; what happened after that is not what it was asked for. */
function askedAt(run: string | undefined): string {
  return new Date(run === undefined ? Date.now() : decodeTime(runNameOf(run).id)).toISOString();
}

/** Once it is being restored the moment stands: the log may be gone by then. */
function momentRestored(journal: FactsOrder['journal']): string | undefined {
  const intent = journal.find(({ key }) => key.includes('/restore-moment/') && !key.endsWith('/undo'));
  return z.object({ moment: z.string() }).safeParse(intent?.before).data?.moment;
}

const addressOf = ({ host, port }: Restored): Pick<Restored, 'host' | 'port'> => ({ host, port });
