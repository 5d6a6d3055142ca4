import type { World } from '../../cli/world.ts';

/** A world in which a command can be made, and nothing is seen of what it does. */
export const nowhere: World = {
  environment: {},
  out: () => undefined,
  err: () => undefined,
  tty: false,
  size: () => ({ columns: 80, rows: 24 }),
  confirm: () => Promise.resolve(false),
  now: () => 0,
  wait: () => Promise.resolve(),
  bad: () => undefined,
};
