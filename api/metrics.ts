import type { FastifyInstance } from 'fastify';
import type { Counts } from '../control/contract.ts';
import { outcomes, runStates } from '../domain/run.ts';
import { stepStates } from '../domain/step.ts';
import type { Unpolled } from '../temporal/runs.ts';
import type { ApiParts } from './parts.ts';
import { createHistogram, metric, type Histogram, type Sample } from './prometheus.ts';

const name = 'steadyhand';

/** Measures every request of the application from here on, but for streams, which last for as long as somebody listens. */
export function measureRequests(app: FastifyInstance): Histogram {
  const durations = createHistogram(`${name}_http_request_duration_seconds`, 'How long requests took, by their route.');
  app.addHook('onResponse', async (request, reply) => {
    if (String(reply.getHeader('content-type')).startsWith('text/event-stream')) return;
    const route = request.routeOptions.url ?? 'none';
    durations.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
  });
  return durations;
}

type MetricParts = Pick<ApiParts, 'control' | 'temporal' | 'inventory' | 'streams' | 'refusals'>;

/**
 * Everything for Prometheus. Labels are words of a closed list, routes, methods and, of proofs, the inventory's databases: no names
 * of people or tickets. What cannot be asked now is left out and `steadyhand_up` of it is 0; never throws.
 */
export async function metricsText(parts: MetricParts, durations: Histogram): Promise<string> {
  const [counts, proved, idle] = await Promise.all([
    parts.control.counts().catch(() => undefined),
    parts.control.proofs.last().catch(() => undefined),
    parts.temporal.unpolled().catch(() => undefined),
  ]);
  const up: Sample[] = [
    { labels: { part: 'control-database' }, value: counts ? 1 : 0 },
    { labels: { part: 'temporal' }, value: idle ? 1 : 0 },
  ];
  return [
    metric(`${name}_up`, 'gauge', 'Whether what the API needs answers it.', up),
    ...(counts ? counted(counts) : []),
    ...(proved ? [proofs(Object.keys(parts.inventory().databases), proved)] : []),
    ...(idle ? [polling(idle)] : []),
    ...limited(parts),
    durations.text(),
  ].join('');
}

function counted({ runs, closed, steps, questions, leases, unstarted }: Counts): string[] {
  const open = runStates.filter((state) => state !== 'closed');
  const kinds = ['approval', 'parked'];
  const waiting = kinds.map((kind) => ({ kind, ...(questions[kind] ?? { count: 0, oldestSeconds: 0 }) }));
  return [
    metric(`${name}_runs`, 'gauge', 'Runs that are open, by state.', each('state', open, runs)),
    metric(`${name}_runs_closed`, 'gauge', 'Runs that have ended, by outcome.', each('outcome', outcomes, closed)),
    metric(`${name}_steps`, 'gauge', 'Steps of the runs that are open, by state.', each('state', stepStates, steps)),
    metric(
      `${name}_questions`,
      'gauge',
      'Questions that wait for people: approvals, and steps that failed.',
      waiting.map(({ kind, count }) => ({ labels: { kind }, value: count })),
    ),
    metric(
      `${name}_question_age_seconds`,
      'gauge',
      'For how long the oldest of these has waited.',
      waiting.map(({ kind, oldestSeconds }) => ({ labels: { kind }, value: oldestSeconds })),
    ),
    metric(`${name}_leases`, 'gauge', 'Leases that are not free.', each('state', ['held', 'orphaned'], leases)),
    metric(`${name}_unstarted`, 'gauge', 'Runs that are written down and not started.', [{ labels: {}, value: unstarted.count }]),
    metric(`${name}_unstarted_age_seconds`, 'gauge', 'For how long the oldest of these has waited.', [
      { labels: {}, value: unstarted.oldestSeconds },
    ]),
  ];
}

function limited({ streams, refusals }: Pick<ApiParts, 'streams' | 'refusals'>): string[] {
  const open = `${name}_event_streams`;
  const refused = `${name}_tokens_refused_total`;
  return [
    ...(streams ? [metric(open, 'gauge', 'Streams of events that are open.', [{ labels: {}, value: streams.count() }])] : []),
    ...(refusals ? [metric(refused, 'counter', 'Requests with an unknown token.', [{ labels: {}, value: refusals.count() }])] : []),
  ];
}

function each(label: string, names: readonly string[], numbers: Readonly<Record<string, number>>): Sample[] {
  return names.map((one) => ({ labels: { [label]: one }, value: numbers[one] ?? 0 }));
}

/** Zero for one that was never proved, so that one rule finds both. */
function proofs(databases: readonly string[], proved: Readonly<Record<string, string>>): string {
  const samples = databases.toSorted().map((database) => {
    const at = Object.hasOwn(proved, database) ? proved[database] : undefined;
    return { labels: { database }, value: at === undefined ? 0 : Date.parse(at) / 1_000 };
  });
  const help = 'When the database was last restored and queried; 0: never.';
  return metric(`${name}_last_proved_restore_timestamp_seconds`, 'gauge', help, samples);
}

function polling(idle: readonly Unpolled[]): string {
  const samples = idle.map(({ queue, work }) => ({ labels: { queue, work }, value: 1 }));
  return metric(
    `${name}_unpolled`,
    'gauge',
    'Task queues from which no worker takes work; none of them is listed when all is well.',
    samples,
  );
}
