import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry, type PrometheusContentType } from 'prom-client';
import type { Counts } from '../control/contract.ts';
import { outcomes, runStates } from '../domain/run.ts';
import { stepStates } from '../domain/step.ts';
import type { Unpolled } from '../temporal/runs.ts';
import type { ApiParts } from './parts.ts';
import type { Sweeper } from './sweepers.ts';

const prefix = 'steadyhand';
/** Seconds. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What a metric's labels say, and its value. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];
/** Adds a metric with all its samples. */
type Show = (name: string, help: string, samples: readonly Sample[]) => void;

/** Measures every request of the application from here on, but for streams, which last for as long as somebody listens. */
export function measureRequests(app: FastifyInstance): Registry {
  const registry = new Registry();
  const durations = new Histogram({
    name: `${prefix}_http_request_duration_seconds`,
    help: 'How long requests took, by their route.',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    if (String(reply.getHeader('content-type')).startsWith('text/event-stream')) return;
    const route = request.routeOptions.url ?? 'none';
    durations.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
  });
  return registry;
}

type MetricParts = Pick<ApiParts, 'control' | 'temporal' | 'inventory' | 'streams' | 'refusals' | 'sweepers'>;

export interface MetricsText {
  readonly type: PrometheusContentType;
  readonly text: string;
}

/**
 * Everything for Prometheus. Labels are words of a closed list, routes, methods and, of proofs, the inventory's databases: no names
 * of people or tickets. What cannot be asked now is left out and `steadyhand_up` of it is 0; never throws.
 */
export async function metricsText(parts: MetricParts, requests: Registry): Promise<MetricsText> {
  const [counts, proved, idle] = await Promise.all([
    parts.control.counts().catch(() => undefined),
    parts.control.proofs.last().catch(() => undefined),
    parts.temporal.unpolled().catch(() => undefined),
  ]);
  // A registry for each answer: what is not known now has no metric in it.
  const registry = new Registry();
  const gauge: Show = (name, help, samples) => show(registry, Gauge, (one, labels, value) => one.set(labels, value), name, help, samples);
  const counter: Show = (name, help, samples) =>
    show(registry, Counter, (one, labels, value) => one.inc(labels, value), name, help, samples);
  gauge('up', 'Whether what the API needs answers it.', [
    [{ part: 'control-database' }, counts ? 1 : 0],
    [{ part: 'temporal' }, idle ? 1 : 0],
  ]);
  if (counts) showCounts(gauge, counts);
  if (proved) showProofs(gauge, Object.keys(parts.inventory().databases), proved);
  if (idle) showUnpolled(gauge, idle);
  if (parts.sweepers) showSweepers(gauge, counter, parts.sweepers.list());
  if (parts.streams) gauge('event_streams', 'Streams of events that are open.', [[{}, parts.streams.count()]]);
  if (parts.refusals) counter('tokens_refused_total', 'Requests with an unknown token.', [[{}, parts.refusals.count()]]);
  return { type: registry.contentType, text: `${await registry.metrics()}${await requests.metrics()}` };
}

function show<Metric>(
  registry: Registry,
  Kind: new (options: { name: string; help: string; labelNames: string[]; registers: Registry[] }) => Metric,
  add: (metric: Metric, labels: Readonly<Record<string, string>>, value: number) => void,
  name: string,
  help: string,
  samples: readonly Sample[],
): void {
  const labelNames = [...new Set(samples.flatMap(([labels]) => Object.keys(labels)))];
  const metric = new Kind({ name: `${prefix}_${name}`, help, labelNames, registers: [registry] });
  for (const [labels, value] of samples) add(metric, labels, value);
}

function showCounts(gauge: Show, { runs, closed, steps, questions, leases, unstarted }: Counts): void {
  const open = runStates.filter((state) => state !== 'closed');
  const waiting = ['approval', 'parked'].map((kind) => ({ kind, ...(questions[kind] ?? { count: 0, oldestSeconds: 0 }) }));
  gauge('runs', 'Runs that are open, by state.', each('state', open, runs));
  gauge('runs_closed', 'Runs that have ended, by outcome.', each('outcome', outcomes, closed));
  gauge('steps', 'Steps of the runs that are open, by state.', each('state', stepStates, steps));
  gauge(
    'questions',
    'Questions that wait for people: approvals, and steps that failed.',
    waiting.map(({ kind, count }) => [{ kind }, count]),
  );
  gauge(
    'question_age_seconds',
    'For how long the oldest of these has waited.',
    waiting.map(({ kind, oldestSeconds }) => [{ kind }, oldestSeconds]),
  );
  gauge('leases', 'Leases that are not free.', each('state', ['held', 'orphaned'], leases));
  gauge('unstarted', 'Runs that are written down and not started.', [[{}, unstarted.count]]);
  gauge('unstarted_age_seconds', 'For how long the oldest of these has waited.', [[{}, unstarted.oldestSeconds]]);
}

function each(label: string, names: readonly string[], numbers: Readonly<Record<string, number>>): Sample[] {
  return names.map((one) => [{ [label]: one }, numbers[one] ?? 0]);
}

/** Zero for one that was never proved, so that one rule finds both. */
function showProofs(gauge: Show, databases: readonly string[], proved: Readonly<Record<string, string>>): void {
  const samples = databases.toSorted().map((database): Sample => {
    const at = Object.hasOwn(proved, database) ? proved[database] : undefined;
    return [{ database }, at === undefined ? 0 : Date.parse(at) / 1_000];
  });
  gauge('last_proved_restore_timestamp_seconds', 'When the database was last restored and queried; 0: never.', samples);
}

function showUnpolled(gauge: Show, idle: readonly Unpolled[]): void {
  const help = 'Task queues from which no worker takes work; none of them is listed when all is well.';
  gauge(
    'unpolled',
    help,
    idle.map(({ queue, work }) => [{ queue, work }, 1]),
  );
}

/** Zero for one that has not succeeded yet, so that one rule finds both. */
function showSweepers(gauge: Show, counter: Show, sweepers: readonly Sweeper[]): void {
  gauge(
    'sweeper_last_success_timestamp_seconds',
    'When the sweeper last finished a pass; 0: not since the API started.',
    sweepers.map(({ name, lastSuccessAt }) => [{ sweeper: name }, (lastSuccessAt ?? 0) / 1_000]),
  );
  counter(
    'sweeper_failures_total',
    'Passes of the sweeper that failed.',
    sweepers.map(({ name, failures }) => [{ sweeper: name }, failures]),
  );
}
