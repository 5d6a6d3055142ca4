import type { Control } from '../../control/contract.ts';
import type { Inventory } from '../../domain/inventory.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import type { Planner } from './planner.ts';

export interface EngineDependencies {
  readonly control: Control;
  inventory(): Inventory;
  readonly catalog: Readonly<Record<string, AnyRunbook>>;
  readonly planner: Planner;
  /** Whether the workflow of this id still runs. `worker/` asks Temporal. */
  holderOpen(run: string): Promise<boolean>;
}
