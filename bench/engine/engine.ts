import type { BenchOptions, Target } from '../frame/bench.ts';
import { loadNow, machine, temporalVersion } from '../frame/machine.ts';
import { rounded, summary, type BenchReport, type BenchResult } from '../frame/report.ts';
import { measureAsking } from './asking.ts';
import { openPlace, type Place, type Polling } from './place.ts';
import { measureSteps } from './steps.ts';
import { measureWaiting, type Wait } from './waiting.ts';

/** What the engine costs beside plain Temporal, on a server that polls as it comes and on one that polls as the sandbox's. */
export async function benchEngine(
  options: BenchOptions,
  servers: readonly Polling[] = ['default', 'fast'],
): Promise<{ report: BenchReport; targets: Target[] }> {
  const loadBefore = loadNow();
  const place = await openPlace(options);
  try {
    const results: BenchResult[] = [];
    for (const polling of servers) results.push(...(await onServer(place, polling, options)));
    const versions = { temporal: temporalVersion(place.temporal), postgres: '18' };
    const report = { bench: 'engine', machine: machine(versions, loadBefore), results, ratios: ratiosOf(results) };
    return { report, targets: targetsOf(report) };
  } finally {
    await place.stop();
  }
}

async function onServer(place: Place, polling: Polling, options: BenchOptions): Promise<BenchResult[]> {
  const { control } = place;
  const { waiting, log } = options;
  const server = await place.server(polling);
  const add = (subject: string, metric: string, unit: BenchResult['unit'], samples: readonly number[]): BenchResult => {
    const result = { subject, metric: `${metric}, ${polling} polling`, unit, ...summary(samples) };
    log(`${result.subject}: ${result.metric}: ${result.median} ${unit}`);
    return result;
  };
  const worker = await server.worker();
  const steps = await measureSteps(worker, options);
  const results = [
    ...Object.entries(steps.marginal).map(([subject, samples]) => add(subject, 'marginal step', 'ms', samples)),
    ...Object.entries(steps.fixed).map(([subject, samples]) => add(subject, 'fixed cost of a run', 'ms', samples)),
  ];
  const asked = await measureAsking(control, worker, options);
  results.push(add('bare', 'signal to next step', 'ms', asked.bare), add('engine', 'approval to next step', 'ms', asked.engine));
  await worker.stop();
  // Memory is the worker's, whatever the server; the quick step among the waiting ones is measured on both.
  for (const wait of polling === 'fast' ? waits : (['step'] as const)) {
    const idle = await server.worker();
    const costs = await measureWaiting(control, idle, wait, {
      count: waiting,
      first: 4 * options.warmUp,
      quickSteps: wait === 'step' ? options.rounds : 0,
    });
    results.push(add(waiters[wait], 'memory of a waiting run', 'KB', costs.heap));
    results.push(add(waiters[wait], 'growth of the process for a waiting run', 'KB', costs.resident));
    if (costs.delays.length > 0) results.push(add(`among ${waiting} waiting`, 'delay of a quick step', 'ms', costs.delays));
    await idle.stop();
  }
  await server.stop();
  return results;
}

const waits = ['step', 'people', 'bare'] as const satisfies readonly Wait[];

const waiters: Record<Wait, string> = { step: 'a wait that looks every 2 s', people: 'an approval', bare: 'bare' };

function medianOf(results: readonly BenchResult[], subject: string, metric: string): number {
  return results.find((one) => one.subject === subject && one.metric === metric)?.median ?? Number.NaN;
}

function ratiosOf(results: readonly BenchResult[]): Record<string, number> {
  const ratio = (subject: string, polling: Polling): [string, number] => {
    const of = (name: string): number => medianOf(results, name, `marginal step, ${polling} polling`);
    return [`marginal ${subject} / bare, ${polling} polling`, rounded(of(subject) / of('bare'))];
  };
  return Object.fromEntries([ratio('change', 'default'), ratio('check', 'default'), ratio('change', 'fast'), ratio('check', 'fast')]);
}

/** What issue and docs ask of it. */
function targetsOf({ results, ratios }: BenchReport): Target[] {
  const fixed = (polling: Polling): number => medianOf(results, 'change', `fixed cost of a run, ${polling} polling`);
  const later = (polling: Polling): number =>
    rounded(
      medianOf(results, 'engine', `approval to next step, ${polling} polling`) -
        medianOf(results, 'bare', `signal to next step, ${polling} polling`),
    );
  const worst = (metric: string): number => Math.max(...results.filter((one) => one.metric.startsWith(metric)).map((one) => one.max));
  const memory = results.filter((one) => one.metric.startsWith('memory') && one.subject !== 'bare').map((one) => one.median);
  return [
    {
      text: 'a change beside a bare step, default polling',
      measured: ratios['marginal change / bare, default polling'] ?? Number.NaN,
      atMost: 1.5,
    },
    { text: 'fixed cost of a run, ms, default polling', measured: fixed('default'), atMost: 150 },
    { text: 'fixed cost of a run, ms, fast polling', measured: fixed('fast'), atMost: 150 },
    { text: 'approval to next step, ms above the bare signal, default polling', measured: later('default'), atMost: 20 },
    { text: 'approval to next step, ms above the bare signal, fast polling', measured: later('fast'), atMost: 20 },
    { text: 'the latest quick step among the waiting runs, ms', measured: worst('delay'), atMost: 1_000 },
    { text: 'memory of a waiting run, KB', measured: Math.max(...memory), atMost: 200 },
  ];
}
