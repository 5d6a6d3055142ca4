import type { NoReturn, Proofs } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt, Effects } from '../attempt.ts';
import { passNoReturn } from '../engine/pass-no-return.ts';
import type { Servers } from '../postgres/session.ts';
import { bringBack } from './bring-back.ts';
import { compareAfter } from './compare-after.ts';
import type { CopyBack, Recovery, RecoveryActivities, SwitchOver, Verify } from './contract.ts';
import { copyAside, removeAside } from './copy-aside.ts';
import type { FactsOfCopy, FactsOfVerification } from './facts.ts';
import type { Copying } from './places.ts';
import { hydrate } from './hydrate.ts';
import { takeOut } from './take-out.ts';
import type { FactsOfSwitch } from './switch/facts.ts';
import { fence } from './switch/fence.ts';
import { letIn } from './switch/let-in.ts';
import { liftFence } from './switch/lift-fence.ts';
import { setPasswords } from './switch/set-passwords.ts';
import type { Switching } from './switch/switching.ts';
import { verifySwitched } from './switch/verify-switched.ts';
import { verify } from './verify.ts';

export type FactsOfRecovery = FactsOfCopy & FactsOfVerification & FactsOfSwitch;

export interface RecoveryDependencies {
  readonly servers: Servers;
  /** The facts that are stored under a digest. */
  facts(digest: string): Promise<FactsOfRecovery>;
  readonly proofs: Pick<Proofs, 'record'>;
  readonly noReturn: NoReturn;
}

export function createRecoveryActivities({ servers, facts, proofs, noReturn }: RecoveryDependencies): Effects<RecoveryActivities> {
  const on =
    <Result>(verb: (copying: Copying, attempt: Attempt) => Promise<Result>) =>
    async (recovery: CopyBack, attempt: Attempt): Promise<Result> => {
      const { copyBack } = (await facts(recovery.facts)).binding;
      if (!copyBack) throw new Failure('internal', `the plan of ${attempt.run} copies nothing back, and was told to`);
      return await verb({ servers, recovery, facts: copyBack }, attempt);
    };
  const over =
    <Result>(verb: (switching: Switching, attempt: Attempt) => Promise<Result>) =>
    async (recovery: SwitchOver, attempt: Attempt): Promise<Result> => {
      const { switching, verification } = (await facts(recovery.facts)).binding;
      if (!switching) throw new Failure('internal', `the plan of ${attempt.run} switches nothing, and was told to`);
      return await verb({ servers, recovery, facts: switching, newestRow: verification.rules.newestRow, noReturn }, attempt);
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
    setPasswords: over(setPasswords),
    fence: over(fence),
    liftFence: over(liftFence),
    verifySwitched: over(verifySwitched),
    letIn: over(letIn),
  };
}
