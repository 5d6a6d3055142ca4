import type { OnInstance } from '../../activities/backup/contract.ts';
import type { Kept, Restored } from '../../activities/providers/provider.ts';
import type { Fenced, Hydration, Prove, SwitchOver, Verification } from '../../activities/recovery/contract.ts';

/** What the run has learnt of the restored copy so far. */
export interface Learnt {
  /** That is restored, where it was looked for. */
  moment?: string | undefined;
  restored?: Restored | undefined;
  secondsAvailable?: number;
  hydration?: Hydration | undefined;
  verification?: Verification | undefined;
  fenced?: Fenced | undefined;
  kept?: Kept | undefined;
}

/** What every step of a restore is told. */
export type Restoring = OnInstance & SwitchOver & Prove;

interface Told {
  readonly database: string;
  readonly input: { readonly moment?: string | undefined; readonly snapshot?: string | undefined };
  readonly facts: string;
}

/** The input is the parsed one. An undo needs nothing of what was learnt. */
export function subject({ database, input, facts }: Told, learnt: Learnt = {}): Restoring {
  const { restored, verification, fenced, kept } = learnt;
  const tiers = verification?.tiers ?? [];
  const measured = {
    target: input.moment ?? learnt.moment ?? null,
    recoveredTo: verification?.newestRowAt ?? null,
    secondsAvailable: learnt.secondsAvailable ?? null,
    secondsHydrated: secondsHydrated(learnt),
  };
  return {
    database,
    facts,
    restored: restored ? { host: restored.host, port: restored.port } : {},
    measured: { ...measured, verification: Object.fromEntries(tiers.map(({ tier, state }) => [tier, state])) },
    switched: {
      ...(fenced ? { fenced } : {}),
      ...(restored ? { resource: restored.resource } : {}),
      ...kept,
    },
    proof: {
      ...measured,
      database,
      verified: verification ? 'restored-and-queried' : restored ? 'available' : 'none',
      backup: input.snapshot ?? `automated backups of ${database}`,
      backupAt: null,
      checks: tiers.map(({ tier, state, seconds }) => ({ tier, state, seconds })),
      versions: {},
    },
  };
}

/** From the first call on, as `secondsAvailable`; null when indexes were not read. What the role may not read stands in the evidence. */
function secondsHydrated({ secondsAvailable, hydration }: Learnt): number | null {
  if (secondsAvailable === undefined || hydration?.method !== 'pg_prewarm') return null;
  return Math.round((secondsAvailable + hydration.seconds) * 1_000) / 1_000;
}
