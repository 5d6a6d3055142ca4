import type { BenchOptions, Target } from '../frame/bench.ts';
import { interleaved } from '../frame/interleaved.ts';
import { loadNow, machine, temporalVersion } from '../frame/machine.ts';
import { rounded, summary, type BenchReport, type BenchResult } from '../frame/report.ts';
import { openPlace, type Place } from './place.ts';
import type { Timing } from './timing.ts';

const runbooks = ['pitr-restore', 'dr-snapshot-copy'] as const;
type Side = 'run' | 'script';
type Measured = Readonly<Record<Side, readonly Timing[]>>;

const metrics: readonly { readonly of: keyof Timing; readonly metric: string; readonly unit: BenchResult['unit'] }[] = [
  { of: 'wholeMs', metric: 'whole, compressed', unit: 'ms' },
  { of: 'wholeAtAwsMs', metric: 'whole, at AWS’s durations', unit: 'ms' },
  { of: 'polls', metric: 'polls, compressed', unit: 'calls' },
  { of: 'pollsAtAws', metric: 'polls, at AWS’s durations', unit: 'calls' },
  { of: 'otherCalls', metric: 'calls besides', unit: 'calls' },
];

const paceOfAwsMs = 10_000;

/** What the orchestration of a restore and of a copy abroad adds to the same calls in a bare script, at the stand-in for AWS. */
export async function benchRestore(
  options: BenchOptions,
  { factor = 60 }: { readonly factor?: number } = {},
): Promise<{ report: BenchReport; targets: Target[] }> {
  const loadBefore = loadNow();
  const place = await openPlace(options, { factor, paceMs: paceOfAwsMs });
  try {
    const results: BenchResult[] = [];
    const ratios: Record<string, number> = {};
    const targets: Target[] = [];
    for (const runbook of runbooks) {
      const measured = await measure(place, runbook, options);
      results.push(...resultsOf(runbook, measured, options));
      ratios[`${runbook} / script, compressed`] = ratio(measured, 'wholeMs');
      ratios[`${runbook} / script, at AWS’s durations`] = ratio(measured, 'wholeAtAwsMs');
      targets.push(...targetsOf(runbook, measured));
    }
    const versions = { temporal: temporalVersion(place.temporal), postgres: '16' };
    return { report: { bench: 'restore', machine: machine(versions, loadBefore), results, ratios }, targets };
  } finally {
    await place.stop();
  }
}

async function measure(place: Place, runbook: (typeof runbooks)[number], options: BenchOptions): Promise<Measured> {
  const side = (by: Side) => async (): Promise<Timing> => await place.measure(by, runbook);
  return await interleaved({ script: side('script'), run: side('run') }, options);
}

function resultsOf(runbook: string, measured: Measured, { log }: BenchOptions): BenchResult[] {
  const results = (['script', 'run'] as const).flatMap((side) =>
    metrics.map(({ of, metric, unit }) => ({
      subject: side === 'run' ? runbook : `script of ${runbook}`,
      metric,
      unit,
      ...summary(measured[side].map((one) => one[of])),
    })),
  );
  for (const { subject, metric, median, unit } of results) log(`${subject}: ${metric}: ${median} ${unit}`);
  return results;
}

const median = (timings: readonly Timing[], of: keyof Timing): number => summary(timings.map((one) => one[of])).median;

function ratio({ run, script }: Measured, of: keyof Timing): number {
  return rounded(median(run, of) / median(script, of));
}

/** What is added beyond 5 % of the script's. */
function targetsOf(runbook: string, { run, script }: Measured): Target[] {
  const beyond = (of: keyof Timing, unit: number): number => rounded((median(run, of) - 1.05 * median(script, of)) / unit);
  return [
    { text: `${runbook}: seconds above the script’s and 5 %, compressed`, measured: beyond('wholeMs', 1_000), atMost: 2 },
    { text: `${runbook}: seconds above the script’s and 5 %, at AWS’s durations`, measured: beyond('wholeAtAwsMs', 1_000), atMost: 2 },
    { text: `${runbook}: polls above the script’s and 5 %, compressed`, measured: beyond('polls', 1), atMost: 2 },
    { text: `${runbook}: polls above the script’s and 5 %, at AWS’s durations`, measured: beyond('pollsAtAws', 1), atMost: 2 },
  ];
}
