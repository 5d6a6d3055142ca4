import { z } from 'zod';
import { qualified } from '../../domain/command.ts';
import { verificationSchema } from '../../domain/verification.ts';
import type { FactsOrder } from '../engine/planner.ts';
import type { Servers } from '../postgres/session.ts';
import type { BackupFacts, RestoreFrom } from '../providers/backup-facts.ts';
import { capable, type Providers } from '../providers/provider-of.ts';
import type { Restored } from '../providers/provider.ts';
import type { FactsOfCopy, FactsOfVerification } from './facts.ts';
import { takeCopyFacts, type SeenCopy } from './take-copy-facts.ts';
import { requireCondition } from './where-clause.ts';

/** What is looked up for a restore beside: of the instance, and of the restored copy as soon as there is one. */
export interface RestoreFacts {
  readonly binding: BackupFacts['binding'] &
    FactsOfVerification['binding'] &
    FactsOfCopy['binding'] & {
      /** Where the restored copy answers; null before it does. */
      readonly restored: Restored | null;
    };
  readonly observed: BackupFacts['observed'] & {
    /** Of the chosen tables on the restored copy. */
    readonly chosen: SeenCopy['observed'] | null;
  };
}

const chosen = z.object({
  moment: z.string().optional(),
  snapshot: z.string().optional(),
  tables: z.array(z.object({ schema: z.string(), name: z.string(), where: z.string().optional() })),
});

/**
 * The facts of a restore, read-only. Before there is a restored copy nothing of it stands in them, so the first approval binds to
 * what is there; once it answers, the chosen tables are looked up on both sides, for the second one. Raises `plan-impossible` for a
 * provider that restores nothing, `input-invalid` for a moment or a condition that is none, and what `inspect` and `takeCopyFacts` do.
 */
export function takeRestoreFacts(servers: Servers, providers: Providers) {
  return async ({ database, input, run }: FactsOrder): Promise<RestoreFacts> => {
    const { moment, snapshot, tables } = chosen.parse(input);
    for (const one of tables) if (one.where !== undefined) requireCondition(one.where, qualified(one));
    const entry = servers.entry(database);
    const provider = providers[entry.provider];
    const restore = capable(provider, 'restore', database);
    for (const group of ['settings', 'remove'] as const) capable(provider, group, database);
    const from: RestoreFrom = snapshot === undefined ? { kind: 'moment', at: moment ?? '' } : { kind: 'snapshot', id: snapshot };
    const facts = await restore.inspect({ database, from, ...(run === undefined ? {} : { run }) });
    const restored = run === undefined ? null : await restore.find(facts, run);
    const copy = restored && tables.length > 0 ? await takeCopyFacts(servers, { database, restored: addressOf(restored) }, tables) : null;
    const target = facts.binding.restore?.from.kind === 'moment' ? facts.binding.restore.from.at : null;
    const verification = { rules: entry.verification ?? verificationSchema.parse({}), target };
    return {
      binding: { ...facts.binding, restored, verification, copyBack: copy?.binding ?? null },
      observed: { ...facts.observed, chosen: copy?.observed ?? null },
    };
  };
}

const addressOf = ({ host, port }: Restored): Pick<Restored, 'host' | 'port'> => ({ host, port });
