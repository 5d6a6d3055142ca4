import type { NoReturn, Proofs } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt, Effects } from '../attempt.ts';
import { passNoReturn } from '../engine/pass-no-return.ts';
import type { Servers } from '../postgres/session.ts';
import { bringBack } from './bring-back.ts';
import { compareAfter } from './compare-after.ts';
import type { CopyBack, Recovery, RecoveryActivities, Verify } from './contract.ts';
import { copyAside, removeAside } from './copy-aside.ts';
import type { FactsOfCopy, FactsOfVerification } from './facts.ts';
import type { Copying } from './places.ts';
import { hydrate } from './hydrate.ts';
import { takeOut } from './take-out.ts';
import { verify } from './verify.ts';

export type FactsOfRecovery = FactsOfCopy & FactsOfVerification;

export interface RecoveryDependencies {
  readonly servers: Servers;
  /** The facts that are stored under a digest. */
  facts(digest: string): Promise<FactsOfRecovery>;
  readonly proofs: Pick<Proofs, 'record'>;
  readonly noReturn: Pick<NoReturn, 'decide'>;
}

export function createRecoveryActivities({ servers, facts, proofs, noReturn }: RecoveryDependencies): Effects<RecoveryActivities> {
  const on =
    <Result>(verb: (copying: Copying, attempt: Attempt) => Promise<Result>) =>
    async (recovery: CopyBack, attempt: Attempt): Promise<Result> => {
      const { copyBack } = (await facts(recovery.facts)).binding;
      if (!copyBack) throw new Failure('internal', `the plan of ${attempt.run} copies nothing back, and was told to`);
      return await verb({ servers, recovery, facts: copyBack }, attempt);
    };
  return {
    compareAfter: async ({ measured, ...copy }, attempt) => await on((copying, one) => compareAfter(copying, measured, one))(copy, attempt),
    hydrate: async (recovery: Recovery, attempt) => await hydrate({ servers, recovery }, attempt),
    verify: async (recovery: Verify, attempt) =>
      await verify({ servers, recovery, facts: (await facts(recovery.facts)).binding.verification }, attempt),
    prove: async ({ proof }, { key, run }) => {
      const { id, target, recoveredTo, secondsAvailable, secondsHydrated, verified } = await proofs.record({ ...proof, key, run });
      return { proof: id, target, recoveredTo, secondsAvailable, secondsHydrated, verified };
    },
    copyAside: on(copyAside),
    removeAside: on(async (copying, attempt) => {
      // As the last step it takes away the list by which the rows could be taken out again.
      if (!attempt.key.endsWith('/undo')) await passNoReturn(noReturn, attempt, copying.recovery.database);
      await removeAside(copying, attempt);
    }),
    bringBack: on(bringBack),
    takeOut: on(takeOut),
  };
}
