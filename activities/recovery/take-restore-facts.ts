import { decodeTime } from 'ulid';
import { z } from 'zod';
import { accidentOf, accidentSchema } from '../../domain/accident.ts';
import { qualified } from '../../domain/command.ts';
import type { Inventory } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import { verificationSchema } from '../../domain/verification.ts';
import type { FactsOrder } from '../engine/planner.ts';
import type { Servers } from '../postgres/session.ts';
import type { BackupFacts, RestoreFrom } from '../providers/backup-facts.ts';
import { capable, type Providers } from '../providers/provider-of.ts';
import type { Restored } from '../providers/provider.ts';
import { findAccident, type FoundAccident } from './find-accident.ts';
import type { FactsOfCopy, FactsOfVerification } from './facts.ts';
import type { FactsOfSwitch } from './switch/facts.ts';
import { takeSwitchingFacts, type SeenSwitching } from './switch/take-switching-facts.ts';
import { takeCopyFacts, type SeenCopy } from './take-copy-facts.ts';
import { requireCondition } from './where-clause.ts';

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

/**
 * The facts of a restore, read-only. Before there is a restored copy nothing of it stands in them, so the first approval binds to
 * what is there; once it answers, the chosen tables are looked up on both sides, for the second one. Raises `plan-impossible` for a
 * provider that restores nothing, `input-invalid` for a moment or a condition that is none, and what `inspect` and `takeCopyFacts` do.
 */
export function takeRestoreFacts(servers: Servers, providers: Providers, inventory: () => Inventory) {
  return async ({ database, input, run, journal }: FactsOrder): Promise<RestoreFacts> => {
    const { moment, snapshot, before, then: next, tables, keepOldDays } = chosen.parse(input);
    for (const one of tables) if (one.where !== undefined) requireCondition(one.where, qualified(one));
    const entry = servers.entry(database);
    const provider = providers[entry.provider];
    const restore = capable(provider, 'restore', database);
    const isSwitch = next === 'switch-over';
    for (const group of ['settings', 'remove', ...(isSwitch ? (['backup', 'swap'] as const) : [])] as const)
      capable(provider, group, database);
    const known = moment ?? momentRestored(journal);
    const logs = before && known === undefined ? capable(provider, 'logs', database) : null;
    const accident = before && accidentOf(before);
    const found =
      accident && logs
        ? await findAccident({ servers, logs, database, accident, until: askedAt(run), newestRow: entry.verification?.newestRow })
        : null;
    const at = known ?? found?.binding.moment ?? '';
    const from: RestoreFrom = snapshot === undefined ? { kind: 'moment', at } : { kind: 'snapshot', id: snapshot };
    const facts = await restore.inspect({
      ...{ database, from, ...(run === undefined ? {} : { run }) },
      ...(isSwitch ? { snapshot: true, keepOldDays } : {}),
    });
    const restored = run === undefined ? null : await restore.find(facts, run);
    const copy = restored && tables.length > 0 ? await takeCopyFacts(servers, { database, restored: addressOf(restored) }, tables) : null;
    const target = facts.binding.restore?.from.kind === 'moment' ? facts.binding.restore.from.at : null;
    const recovery = { database, restored: restored ? addressOf(restored) : {} };
    const newestRow = entry.verification?.newestRow;
    const switching = isSwitch
      ? await takeSwitchingFacts({
          ...{ servers, recovery, isRestored: restored !== null, since: target, newestRow, journal },
          ...{ ownRoles: provider.ownRoles, inventory: inventory() },
        })
      : null;
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
