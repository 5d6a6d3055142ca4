import { ulid } from 'ulid';
import type { Control } from '../../control/contract.ts';
import { measureAsking } from '../engine/asking.ts';
import { nowMs } from '../engine/messages.ts';
import { openPlace, type MeasuredWorker, type Place, type Polling } from '../engine/place.ts';
import type { BenchOptions, Target } from '../frame/bench.ts';
import { loadNow, machine, temporalVersion } from '../frame/machine.ts';
import { paced } from '../frame/paced.ts';
import { rounded, summary, type BenchReport, type BenchResult } from '../frame/report.ts';
import { serveApi, type ServedApi } from './served.ts';

const perSecond = 5;
const metrics = { start: `start at ${perSecond}/s`, next: 'answer to next step' };

interface Measured {
  readonly polling: Polling;
  readonly start: Readonly<Record<'api' | 'bare', readonly number[]>>;
  /** `message`: row and message of the decision without the API. */
  readonly next: Readonly<Record<'api' | 'message' | 'bare', readonly number[]>>;
}

/** What the API adds to plain Temporal: to the start of a workflow, and to a message that lets the next step begin. */
export async function benchApi(
  options: BenchOptions,
  servers: readonly Polling[] = ['default', 'fast'],
): Promise<{ report: BenchReport; targets: Target[] }> {
  const loadBefore = loadNow();
  const place = await openPlace(options);
  try {
    const all: Measured[] = [];
    for (const polling of servers) all.push(await onServer(place, polling, options));
    const results = all.flatMap(resultsOf);
    const versions = { temporal: temporalVersion(place.temporal), postgres: '18' };
    const ratios = Object.fromEntries(all.map((one) => [`POST /v1/runs / bare start, ${one.polling} polling`, startRatio(one)]));
    return { report: { bench: 'api', machine: machine(versions, loadBefore), results, ratios }, targets: all.flatMap(targetsOf) };
  } finally {
    await place.stop();
  }
}

async function onServer({ control, server: open }: Place, polling: Polling, options: BenchOptions): Promise<Measured> {
  const server = await open(polling);
  const worker = await server.worker();
  const api = await serveApi(control, server.client, worker.taskQueue);
  try {
    return { polling, ...(await measure(api, worker, control, polling, options)) };
  } finally {
    await api.stop();
    await worker.stop();
    await server.stop();
  }
}

async function measure(
  api: ServedApi,
  worker: MeasuredWorker,
  control: Control,
  polling: Polling,
  options: BenchOptions,
): Promise<Omit<Measured, 'polling'>> {
  const start = await measureStarts(api, worker, options);
  options.log(`${metrics.start}, ${polling} polling: ${medianOf(start.api)} ms, bare ${medianOf(start.bare)} ms`);
  const byApi = await measureAsking(control, worker, options, api.approve);
  const byMessage = await measureAsking(control, worker, options);
  const next = { api: byApi.engine, message: byMessage.engine, bare: [...byApi.bare, ...byMessage.bare] };
  options.log(`${metrics.next}, ${polling} polling: ${medianOf(next.api)} ms, bare ${medianOf(next.bare)} ms`);
  return { start, next };
}

/** Until the answer is there, with the run's work going on beside it. */
async function measureStarts(api: ServedApi, { client, taskQueue }: MeasuredWorker, turns: BenchOptions): Promise<Measured['start']> {
  const bare = { taskQueue, args: [1] };
  const runs: string[] = [];
  const started = async (start: () => Promise<string>): Promise<number> => {
    const asked = nowMs();
    runs.push(await start());
    return nowMs() - asked;
  };
  const subjects = {
    api: () => started(() => api.start('quick')),
    bare: () => started(async () => (await client.workflow.start('bareSteps', { ...bare, workflowId: `bare/${ulid()}` })).workflowId),
  };
  const taken = await paced(subjects, { ...turns, perSecond });
  // None is left to disturb what is measured next, and each of them was a real run.
  await Promise.all(runs.map(async (run) => await client.workflow.getHandle(run).result()));
  return taken;
}

function resultsOf({ polling, start, next }: Measured): BenchResult[] {
  const rows = (metric: string, samples: Readonly<Record<string, readonly number[]>>): BenchResult[] =>
    Object.entries(samples).map(([subject, of]) => ({ subject, metric: `${metric}, ${polling} polling`, unit: 'ms', ...summary(of) }));
  return [...rows(metrics.start, start), ...rows(metrics.next, next)];
}

function targetsOf(measured: Measured): Target[] {
  const { polling, next } = measured;
  const later = rounded(medianOf(next.api) - medianOf(next.bare));
  return [
    { text: `POST /v1/runs at ${perSecond}/s beside a bare start, times, ${polling} polling`, measured: startRatio(measured), atMost: 3 },
    { text: `approval to next step, ms above the bare signal, ${polling} polling`, measured: later, atMost: 20 },
  ];
}

function startRatio({ start }: Measured): number {
  return rounded(medianOf(start.api) / medianOf(start.bare));
}

function medianOf(samples: readonly number[]): number {
  return summary(samples).median;
}
