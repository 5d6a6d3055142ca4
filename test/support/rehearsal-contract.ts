import type { WorkOf } from '../../activities/work.ts';

export interface RehearsalActivities {
  look(subject: Rehearsed): Promise<{ seen: string }>;
  make(subject: Rehearsed): Promise<{ made: string }>;
  unmake(subject: Rehearsed): Promise<void>;
  await(subject: Rehearsed): Promise<void>;
}

export interface Rehearsed {
  readonly word: string;
}

export const rehearsalWork: WorkOf<RehearsalActivities> = { look: 'look', make: 'change', unmake: 'change', await: 'wait' };
