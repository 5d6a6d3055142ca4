import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Migration } from '../contract.ts';
import { uncarryConfiguration } from './carry-configuration.ts';
import { superusersOf } from './superusers-of.ts';
import { dropSnapshots, restoreService } from './restore-service.ts';
import type { SwitchDependencies } from './under-way.ts';

/**
 * The undo of the switch: the old side is in charge and serves. Right when the switch never began, and when a failed attempt
 * had restored service already. After "forward" it refuses with `conflict`. It does not decide "back", so the step can be
 * started again.
 */
export async function switchBack(deps: SwitchDependencies, migration: Migration, attempt: Attempt): Promise<void> {
  const decided = await deps.noReturn.read(attempt.run);
  if (decided?.side === 'forward') {
    throw new Failure(
      'conflict',
      `${migration.source} was switched to ${migration.target}: past the point of no return there is no way back`,
    );
  }
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const facts = await deps.facts(migration.facts);
  await attempt.intend({});
  await attempt.current();
  const restoring = { ...deps, migration, attempt, facts, superusers: superusersOf(attempt.intended) };
  await restoreService(restoring);
  const target = await deps.servers.open(migration.target, { purpose: 'change', step: attempt.step, identity: facts.binding.target });
  try {
    await dropSnapshots(attempt, target);
    await uncarryConfiguration(target, migration, facts);
  } finally {
    await target.end();
  }
  await attempt.settle('undone');
}
