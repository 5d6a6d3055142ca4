import { Failure } from '../../domain/failure.ts';
import type { EngineDependencies } from './dependencies.ts';

/**
 * Looks whether the run could take the lease now; reads only. Throws `lease-held` when another run that goes on holds it, and
 * `lease-orphaned` when its last holder ended and left something.
 */
export async function refuseIfLeased(
  { control, holderOpen }: Pick<EngineDependencies, 'control' | 'holderOpen'>,
  database: string,
  run: string,
): Promise<void> {
  const lease = await control.lease.find(database);
  if (!lease || lease.state === 'free' || lease.holder === run) return;
  const { holder, since } = lease;
  if (lease.state === 'held' && (await holderOpen(holder))) {
    throw new Failure('lease-held', `the lease of ${database} is held by ${holder}`, { database, holder, since });
  }
  const left = (await control.attempts.unsettled(holder)).map((intent) => `${intent.step}: ${intent.key}`);
  if (left.length > 0) {
    throw new Failure('lease-orphaned', `the run ${holder} ended and left on ${database}: ${left.join('; ')}`, { database, holder, left });
  }
}
