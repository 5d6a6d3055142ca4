/** A job that is repeated until the API stops, as `/metrics` and `/readyz` show it. */
export interface Sweeper {
  readonly name: string;
  /** What is not done while it does not succeed. */
  readonly purpose: string;
  /** Milliseconds since 1970; null before the first success. */
  readonly lastSuccessAt: number | null;
  readonly failures: number;
  /** Since the last success, or since it was begun. */
  readonly ageMs: number;
}

/** Which sweepers there are and when each succeeded last. */
export interface Sweepers {
  /** From now on it is listed. Call what is returned after each pass. */
  begin(name: string, purpose: string): (succeeded: boolean) => void;
  list(): Sweeper[];
}

/** Older than this, a sweeper is reported as stopped. It is visible within a minute, and a pass under load has the time it needs. */
const stoppedAfterMs = 45_000;

export function createSweepers(now: () => number = Date.now): Sweepers {
  const sweepers = new Map<string, { purpose: string; beganAt: number; lastSuccessAt: number | null; failures: number }>();
  return {
    begin: (name, purpose) => {
      const known = { purpose, beganAt: now(), lastSuccessAt: null as number | null, failures: 0 };
      sweepers.set(name, known);
      return (succeeded) => {
        if (succeeded) known.lastSuccessAt = now();
        else known.failures += 1;
      };
    },
    list: () =>
      [...sweepers].map(([name, { purpose, beganAt, lastSuccessAt, failures }]) => ({
        name,
        purpose,
        lastSuccessAt,
        failures,
        ageMs: now() - (lastSuccessAt ?? beganAt),
      })),
  };
}

/** For people: which sweepers have stopped, and what is not done meanwhile. */
export function stoppedSweepers(sweepers: Sweepers): string[] {
  const stopped = sweepers.list().filter(({ ageMs }) => ageMs >= stoppedAfterMs);
  return stopped.map(({ name, purpose, ageMs }) => `the sweeper ${name} has not succeeded for ${Math.floor(ageMs / 1_000)} s: ${purpose}`);
}
