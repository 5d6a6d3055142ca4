/** What the plan prints of a copy: the pure halves of its verbs, and what people should read before they agree. */
export { copyAside, removeAside } from './aside-commands.ts';
export { bringBack, compareAfter, notes } from './bring-commands.ts';
export { takeOut } from './take-out-commands.ts';
export { verify } from './verify-commands.ts';
export { hydrate } from './hydrate-commands.ts';
export { fence, letIn, liftFence, setPasswords, verifySwitched } from './switch/commands.ts';
export { lostText } from './switch/count-lost.ts';
