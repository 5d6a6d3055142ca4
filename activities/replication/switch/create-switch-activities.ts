import type { Effects } from '../../attempt.ts';
import { closeTarget, reopenTarget } from '../close-target.ts';
import type { ReplicationActivities } from '../contract.ts';
import { gate } from '../gate.ts';
import { switchBack } from './switch-back.ts';
import { switchOver } from './switch-over.ts';
import type { SwitchDependencies } from './under-way.ts';

export type SwitchActivities = Pick<ReplicationActivities, 'closeTarget' | 'reopenTarget' | 'gate' | 'switchOver' | 'switchBack'>;

export function createSwitchActivities(deps: SwitchDependencies): Effects<SwitchActivities> {
  return {
    closeTarget: (migration, attempt) => closeTarget(deps, migration, attempt),
    reopenTarget: (migration, attempt) => reopenTarget(deps, migration, attempt),
    gate: (migration, attempt) => gate(deps, migration, attempt),
    switchOver: (migration, attempt) => switchOver(deps, migration, attempt),
    switchBack: (migration, attempt) => switchBack(deps, migration, attempt),
  };
}
