/** The one shape that every bench ends with, kept under bench/results/. */
export interface BenchReport {
  readonly bench: string;
  readonly machine: Machine;
  readonly results: readonly BenchResult[];
  /** Name → how many times the other. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** Where it was measured: nothing in it names the machine or a path. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly node: string;
  readonly temporal: string;
  readonly postgres: string;
  /** The load average of one minute, before and after: what else the machine was doing. */
  readonly load: readonly number[];
}

export interface BenchResult extends Summary {
  readonly subject: string;
  readonly metric: string;
  readonly unit: 'ms' | 'KB' | 'calls';
}

export interface Summary {
  readonly median: number;
  readonly p95: number;
  readonly max: number;
  readonly n: number;
}

/** Median, 95th percentile and maximum, in the samples' own unit with two digits. Throws on no sample. */
export function summary(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((one, other) => one - other);
  const at = (share: number): number => {
    const place = (sorted.length - 1) * share;
    const low = sorted[Math.floor(place)];
    const high = sorted[Math.ceil(place)];
    if (low === undefined || high === undefined) throw new Error('nothing was measured');
    return rounded(low + (high - low) * (place - Math.floor(place)));
  };
  return { median: at(0.5), p95: at(0.95), max: at(1), n: sorted.length };
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
