import type { WorkOf } from '../../activities/work.ts';

/** What the measured steps do: nothing that takes time. */
export interface MeasuredActivities {
  look(): Promise<{ seen: string }>;
  make(): Promise<{ made: string }>;
  unmake(): Promise<void>;
  await(): Promise<void>;
}

export const measuredWork: WorkOf<MeasuredActivities> = { look: 'look', make: 'change', unmake: 'change', await: 'wait' };
