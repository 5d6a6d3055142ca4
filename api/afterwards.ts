/** Begins work that no answer waits for, after the answer is sent. A sweeper does it again when it fails, or when the process ends. */
export function afterwards(work: () => Promise<unknown>): void {
  setImmediate(() => {
    work().catch(() => undefined);
  });
}
