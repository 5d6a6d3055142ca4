/** What the bench and its worker tell each other. Times are of the machine's monotonic clock, which both share. */
export interface WorkerStart {
  readonly address: string;
  readonly taskQueue: string;
  readonly control: string;
  readonly bundle: string;
}

export type ToWorker = { readonly kind: 'start'; readonly start: WorkerStart } | { readonly kind: 'memory' } | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** A step of the workflow has begun; `delayMs` is how long it had been scheduled. */
  | { readonly kind: 'began'; readonly run: string; readonly at: number; readonly delayMs: number }
  /** Bytes, after a garbage collection: of all threads' heaps, and of the process as the system sees it. */
  | { readonly kind: 'memory'; readonly resident: number; readonly heap: number };

export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
