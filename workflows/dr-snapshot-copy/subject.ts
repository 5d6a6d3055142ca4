import type { OnInstance } from '../../activities/backup/contract.ts';
import type { Restored, Snapshot } from '../../activities/providers/answers.ts';
import type { Prove, Verification, Verify } from '../../activities/recovery/contract.ts';

/** What the run has learnt of its copy so far. */
export interface Learnt {
  copy?: Snapshot | undefined;
  restored?: Restored | undefined;
  secondsAvailable?: number;
  verification?: Verification | undefined;
}

/** What every step of a copy into the other region is told. */
export type CopyingAbroad = OnInstance & Verify & Prove;

/** An undo needs nothing of what was learnt. */
export function subject(
  { database, facts }: { database: string; facts: string },
  { copy, restored, secondsAvailable, verification }: Learnt = {},
): CopyingAbroad {
  return {
    database,
    facts,
    restored: restored ? { host: restored.host, port: restored.port } : {},
    proof: {
      database,
      verified: verification ? 'restored-and-queried' : restored ? 'available' : 'none',
      backup: copy?.id ?? '',
      backupAt: copy?.takenAt ?? null,
      target: null,
      recoveredTo: verification?.newestRowAt ?? null,
      secondsAvailable: secondsAvailable ?? null,
      secondsHydrated: null,
      checks: (verification?.tiers ?? []).map(({ tier, state, seconds }) => ({ tier, state, seconds })),
      versions: {},
    },
  };
}
