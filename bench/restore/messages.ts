import type { Stretch } from './timing.ts';

/** The two runbooks that are measured, with the input that both sides get. */
export interface Order {
  readonly runbook: 'pitr-restore' | 'dr-snapshot-copy';
  /** A workflow id: what is made is called after it. */
  readonly run: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export type ToScript = { readonly kind: 'order'; readonly order: Order } | { readonly kind: 'stop' };
export type FromScript = { readonly kind: 'done'; readonly stretch: Stretch } | { readonly kind: 'failed'; readonly because: string };

/** What the worker says when it polls, and the script when it takes orders. */
export const ready = 'ready';
