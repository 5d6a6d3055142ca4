/** A check that many callers share: it is made once at a time, and its answer holds for a while. */
export interface Remembered {
  /** Throws what the check threw. */
  require(): Promise<void>;
  /** The next call makes the check again. */
  forget(): void;
}

/** `holdsForMs`: milliseconds from the end of the check on; of the error, or of `undefined` where there was none. */
export function remembered(check: () => Promise<void>, holdsForMs: (error: unknown) => number, now: () => number = Date.now): Remembered {
  let known: { readonly answer: Promise<void>; until: number } | undefined;
  const ask = (): Promise<void> => {
    const asked = { answer: check(), until: Number.POSITIVE_INFINITY };
    known = asked;
    const ended = (error: unknown): void => void (asked.until = now() + holdsForMs(error));
    asked.answer.then(() => ended(undefined), ended);
    return asked.answer;
  };
  return {
    require: async () => await (known !== undefined && now() < known.until ? known.answer : ask()),
    forget: () => {
      known = undefined;
    },
  };
}
