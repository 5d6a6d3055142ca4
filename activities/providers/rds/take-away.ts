import { z } from 'zod';
import { Failure, notYet } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Call } from '../../aws/call.ts';
import type { AwsAction } from '../../aws/calls.ts';
import { awsCodeOf, type Rds } from './look.ts';

interface Thing {
  /** AWS's own name for this very one; a new one of the same name has another. */
  readonly identity: string;
  readonly status: string;
}

interface Removal {
  /** "the instance x in eu-central-1". */
  readonly what: string;
  /** Raises `foreign-object` or `identity-changed` when it is not the one that is meant. */
  look(): Promise<Thing | undefined>;
  /** Called right before it is asked for; what it raises stops that. */
  decided?(): Promise<void>;
  readonly calls: (thing: Thing) => Promise<readonly Call<AwsAction>[]> | readonly Call<AwsAction>[];
}

const looking = z.object({ since: z.number() });

/**
 * Removes one thing: asks for it once, then looks until it is gone (`not-yet`). What was never seen may still appear, when the
 * answer to its making was lost: for the grace of AWS it is looked for again. As an undo it does nothing when nothing was intended.
 */
export async function takeAway(rds: Rds, attempt: Attempt, { what, look, decided, calls }: Removal): Promise<void> {
  const undo = attempt.key.endsWith('/undo');
  if (undo && attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const seen = await look();
  const first = await attempt.intend({ identity: seen?.identity ?? null });
  if (!seen) {
    if (undo && first['identity'] === null) await lookLonger(rds, attempt, what);
    return await attempt.settle(undo ? 'undone' : 'made');
  }
  if (typeof first['identity'] === 'string' && first['identity'] !== seen.identity) {
    throw new Failure('identity-changed', `${what} is another one now (${seen.identity}) than the one that was to be removed; it stays`);
  }
  if (seen.status !== 'deleting') {
    await decided?.();
    for (const call of await calls(seen)) await ask(rds, attempt, call, what);
  }
  attempt.progress({ summary: `${what} is being removed` });
  throw notYet(`${what} is being removed`, rds.pace.lookAgainMs);
}

/** Gone or going counts as asked for. */
async function ask(rds: Rds, attempt: Attempt, call: Call<AwsAction>, what: string): Promise<void> {
  await attempt.current();
  try {
    await rds.aws.call(call.region, call.action, call.input, undefined, attempt);
  } catch (error) {
    const code = awsCodeOf(error);
    if (code === 'DBInstanceNotFound' || code === 'DBSnapshotNotFound') return;
    if (code !== 'InvalidDBInstanceState' && code !== 'InvalidDBSnapshotState') throw error;
    throw notYet(
      `${what} cannot be removed in the state that it is in now: ${error instanceof Error ? error.message : ''}`,
      rds.pace.lookAgainMs,
    );
  }
}

async function lookLonger({ pace }: Rds, attempt: Attempt, what: string): Promise<void> {
  const { since } = looking.safeParse(attempt.checkpoint).data ?? { since: Date.now() };
  attempt.save({ since });
  if (Date.now() - since < pace.graceMs)
    throw notYet(`${what} cannot be seen; it is looked for again, it may still appear`, pace.lookAgainMs);
  await Promise.resolve();
}
