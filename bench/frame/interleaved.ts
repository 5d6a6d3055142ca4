import type { BenchOptions } from './bench.ts';

type Subjects<Name extends string, Sample> = Readonly<Record<Name, () => Promise<Sample>>>;

/**
 * Measures the subjects in turns, so that whatever else the machine does meets all of them; each round begins with another one.
 * The first `warmUp` rounds don't count. Samples of the same index are of the same round.
 */
export async function interleaved<Name extends string, Sample = number>(
  subjects: Subjects<Name, Sample>,
  { warmUp, rounds }: Pick<BenchOptions, 'rounds' | 'warmUp'>,
): Promise<Record<Name, Sample[]>> {
  // The keys of the subjects, as the type says.
  const names = Object.keys(subjects) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Name, Sample[]>;
  for (let round = 0; round < warmUp + rounds; round += 1) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const taken = await subjects[name]();
      if (round >= warmUp) samples[name].push(taken);
    }
  }
  return samples;
}
