import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Call } from '../../aws/call.ts';
import type { AwsAction } from '../../aws/calls.ts';
import { ensure, type Observation } from '../../engine/ensure.ts';
import { awsCodeOf, instanceOf, stateOf, type Rds } from './look.ts';

const taken = new Set(['DBInstanceAlreadyExists', 'DBSnapshotAlreadyExists']);
const busyAgainMs = 15_000;

interface Making<Action extends AwsAction> {
  /** Asked for only when it is to be made. */
  call(): Promise<Call<Action>> | Call<Action>;
  /** The instance whose state may forbid it. */
  readonly of: { readonly region: string; readonly id: string };
  observe(): Promise<Observation<void>>;
  /** Milliseconds until what was asked for must be seen; the grace of AWS when absent. */
  readonly settleWithin?: number;
}

/** The grace of AWS, as far as an attempt at a wait, which has 60 s, has time for it. */
export const graceOfWait = ({ pace }: Rds): number => Math.min(pace.graceMs, 45_000);

/**
 * Makes one thing by one call. AWS has no tokens against doing it twice; the name is one that only this run uses, so a second call
 * is turned away, and who made what is there is seen by its tags.
 */
export async function make<Action extends AwsAction>(
  rds: Rds,
  attempt: Attempt,
  { call, of, observe, settleWithin = rds.pace.graceMs }: Making<Action>,
): Promise<void> {
  await ensure(attempt, {
    observe,
    act: async () => {
      const { region, action, input } = await call();
      try {
        await rds.aws.call(region, action, input, of.id, attempt);
      } catch (error) {
        // It may be the echo of our own call whose answer was lost: the look that follows tells.
        if (!taken.has(awsCodeOf(error))) throw await whenBusy(rds, of, error);
      }
    },
    settleWithin,
  });
}

/** `InvalidDBInstanceState` says nothing of whether it passes: the instance's status does. */
export async function whenBusy(rds: Rds, of: { region: string; id: string }, error: unknown): Promise<unknown> {
  if (awsCodeOf(error) !== 'InvalidDBInstanceState') return error;
  const status = (await instanceOf(rds, of.region, of.id))?.DBInstanceStatus ?? 'gone';
  if (stateOf(status) === 'broken') {
    return new Failure(
      'provider-refused',
      `the instance ${of.id} in ${of.region} is ${status}, which does not pass by itself`,
      { status },
      error,
    );
  }
  const facts = { status, retryAfterMs: Math.min(busyAgainMs, rds.pace.lookAgainMs) };
  return new Failure('provider-busy', `the instance ${of.id} in ${of.region} is ${status} and takes no change now`, facts, error);
}

/** What to say of a thing that has the run's name and not its tag. */
export function foreign(kind: string, { region }: { region: string }, id: string): Observation<never> {
  return {
    state: 'foreign',
    what: `there is ${kind} "${id}" in ${region} already, and it does not carry the tag of this step; nothing was done to it`,
  };
}
