import type { BenchOptions, Target } from '../frame/bench.ts';
import { interleaved } from '../frame/interleaved.ts';
import { loadNow, machine, temporalVersion } from '../frame/machine.ts';
import { rounded, summary, type BenchReport, type BenchResult } from '../frame/report.ts';
import { longQueue } from './many-runs.ts';
import { openPlace, type Place } from './place.ts';

export interface ControlSize {
  readonly inOne: number;
  readonly others: number;
  readonly queues: number;
  readonly events: number;
}

/** As an installation that has grown: half of the open runs wait for one database. */
const grown: ControlSize = { inOne: 1_000, others: 1_000, queues: 300, events: 1_000_000 };

/** What the API takes with many open runs and a long record, and what slow searches do to others. */
export async function benchControl(options: BenchOptions, size: ControlSize = grown): Promise<{ report: BenchReport; targets: Target[] }> {
  const loadBefore = loadNow();
  const place = await openPlace(options, { runs: size, events: size.events });
  try {
    const results: BenchResult[] = [];
    const add = (subject: string, metric: string, samples: readonly number[]): BenchResult => {
      const result = { subject, metric, unit: 'ms' as const, ...summary(samples) };
      results.push(result);
      options.log(`${subject}: ${metric}: ${result.median} ms, at most ${result.max} ms`);
      return result;
    };
    const targets: Target[] = [];
    let slowest = { path: '', ms: 0 };
    for (const { subject, path, atMost } of await requests(place, size)) {
      const { median } = add(subject, 'GET', await times(options.rounds, () => place.get(path)));
      targets.push({ text: `${subject}, ms`, measured: median, atMost });
      if (path.startsWith('/v1/events') && median > slowest.ms) slowest = { path, ms: median };
    }
    targets.push(
      ...(await benchEnds(place, options, add)),
      ...(await benchVerify(place, options, add)),
      ...(await benchOthers(place, slowest.path, options, add)),
    );
    const versions = { temporal: temporalVersion(place.temporal), postgres: '18' };
    return { report: { bench: 'control', machine: machine(versions, loadBefore), results, ratios: {} }, targets };
  } finally {
    await place.stop();
  }
}

type Add = (subject: string, metric: string, samples: readonly number[]) => BenchResult;

interface Request {
  readonly subject: string;
  readonly path: string;
  readonly atMost: number;
}

async function requests({ control }: Place, { events }: ControlSize): Promise<Request[]> {
  const atRow = async (seq: number): Promise<string> => (await control.events.list({ after: seq - 1, limit: 1 }))[0]?.at ?? '';
  const [middle, end] = [await atRow(Math.round(events / 2)), await atRow(events - 1_000)];
  const searches = [
    ['a rare actor', 'actor=zoe'],
    ['an actor that is not there', 'actor=nobody'],
    ['a frequent actor', 'actor=anna'],
    ['a kind that is not there', 'kind=lease.released'],
    ['a rare actor and a frequent kind', 'actor=zoe&kind=step.done'],
    ['the last minutes', `since=${end}`],
    ['the last minutes of an actor', `since=${end}&actor=engine`],
    ['from the middle on', `since=${middle}`],
    ['a kind from the middle on', `since=${middle}&kind=step.done`],
    ['an actor from the middle on', `since=${middle}&actor=zoe`],
    ['until the middle, from behind it', `until=${middle}&after=${Math.round(events * 0.75)}`],
  ] as const;
  return [
    { subject: 'first page of runs', path: '/v1/runs', atMost: 300 },
    { subject: 'page of 200 runs', path: '/v1/runs?limit=200', atMost: 1_000 },
    { subject: 'page of 200 runs of one queue', path: `/v1/runs?limit=200&database=${longQueue}`, atMost: 1_000 },
    { subject: 'list of leases', path: '/v1/leases', atMost: 1_000 },
    ...searches.map(([subject, query]) => ({ subject: `events: ${subject}`, path: `/v1/events?${query}`, atMost: 200 })),
  ];
}

/** From the termination of a workflow to the end of its run. */
async function benchEnds({ client, control, runs }: Place, { rounds }: BenchOptions, add: Add): Promise<Target[]> {
  const ended = runs.slice(0, Math.min(rounds, 5)).map((run) => async (): Promise<number> => {
    const began = performance.now();
    await client.workflow.getHandle(run).terminate();
    while ((await control.runs.find(run))?.state !== 'closed') await new Promise((resolve) => setTimeout(resolve, 50));
    return performance.now() - began;
  });
  const samples: number[] = [];
  for (const end of ended) samples.push(await end());
  const { max } = add('run of a terminated workflow', 'until it is closed', samples);
  return [{ text: 'a terminated workflow is closed, ms', measured: max, atMost: 10_000 }];
}

async function benchVerify({ get, control }: Place, { rounds }: BenchOptions, add: Add): Promise<Target[]> {
  const rows = await control.events.last();
  const verify = async (callers: number): Promise<number> =>
    Math.max(...(await Promise.all(Array.from({ length: callers }, () => get('/v1/audit/verify?full=true')))));
  const few = Math.min(rounds, 3);
  const { one, two, eight } = await interleaved(
    { one: () => verify(1), two: () => verify(2), eight: () => verify(8) },
    { rounds: few, warmUp: 0 },
  );
  const perThousand = add(
    'verify',
    'of 1,000 rows',
    one.map((ms) => (ms / rows) * 1_000),
  );
  const [ofTwo, ofEight] = [add('verify', 'by two at once', two), add('verify', 'by eight at once', eight)];
  add('verify', 'from the last verified row', await times(few, () => get('/v1/audit/verify')));
  return [
    { text: 'verify: ms for 1,000 rows (60,000 rows a second)', measured: perThousand.median, atMost: 16.67 },
    { text: 'verify: eight at once / two at once', measured: rounded(ofEight.median / ofTwo.median), atMost: 1.25 },
  ];
}

/** What others wait while thirty clients repeat the slowest search all the time. */
async function benchOthers({ get, runs }: Place, slowest: string, { rounds }: BenchOptions, add: Add): Promise<Target[]> {
  let stopped = false;
  const slow = async (): Promise<void> => {
    // One that waits too long is refused, and asked again.
    while (!stopped) await get(`${slowest}&limit=1000`).catch(() => 0);
  };
  const searching = Array.from({ length: 30 }, slow);
  const id = runs.at(-1)?.split('/').at(-1) ?? '';
  const others = await times(rounds * 20, () => get(`/v1/runs/${id}`));
  const ready = await times(rounds * 20, () => get('/readyz'));
  stopped = true;
  await Promise.all(searching);
  add('others, beside 30 searches', 'GET a run', others);
  add('others, beside 30 searches', 'GET /readyz', ready);
  return [
    { text: 'others beside 30 searches, 99th percentile, ms', measured: percentile99(others), atMost: 500 },
    { text: '/readyz beside 30 searches, 99th percentile, ms', measured: percentile99(ready), atMost: 500 },
  ];
}

function percentile99(samples: readonly number[]): number {
  return rounded(samples.toSorted((one, other) => one - other)[Math.floor((samples.length - 1) * 0.99)] ?? Infinity);
}

async function times(rounds: number, work: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push(await work());
  return samples;
}
