import type { BenchOptions } from './bench.ts';

type Subjects<Name extends string> = Readonly<Record<Name, () => Promise<number>>>;

export interface Pace extends Pick<BenchOptions, 'rounds' | 'warmUp'> {
  /** Calls of each subject. */
  readonly perSecond: number;
}

/**
 * Calls each subject at a fixed rate, whether or not its earlier calls have answered: a slow answer does not slow the load. The calls of
 * the subjects alternate at equal distances. The first `warmUp` calls of each do not count.
 */
export async function paced<Name extends string>(
  subjects: Subjects<Name>,
  { warmUp, rounds, perSecond }: Pace,
): Promise<Record<Name, number[]>> {
  // The keys of the subjects, as the type says.
  const names = Object.keys(subjects) as Name[];
  const calls = Array.from({ length: warmUp + rounds }, () => names).flat();
  const everyMs = 1_000 / (perSecond * names.length);
  const samples = await Promise.all(calls.map(async (name, place) => await later(place * everyMs, subjects[name])));
  const counted = (name: Name): number[] => samples.filter((_, place) => calls[place] === name).slice(warmUp);
  return Object.fromEntries(names.map((name) => [name, counted(name)])) as Record<Name, number[]>;
}

async function later(ms: number, work: () => Promise<number>): Promise<number> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms));
  return await work();
}
