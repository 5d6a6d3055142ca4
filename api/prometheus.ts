/** Prometheus' text format (version 0.0.4): small enough to write down here. */

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type MetricType = 'gauge' | 'counter' | 'histogram';

export interface Histogram {
  observe(labels: Sample['labels'], seconds: number): void;
  text(): string;
}

/** Seconds. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

interface Series {
  readonly labels: Sample['labels'];
  /** How many were at most the bucket's size. */
  readonly counts: number[];
  count: number;
  sum: number;
}

/** A metric with all its samples, each in a line. */
export function metric(name: string, type: MetricType, help: string, samples: readonly Sample[]): string {
  return `${head(name, type, help)}${samples.map(({ labels, value }) => line(name, labels, value)).join('')}`;
}

/** Since the process began. */
export function createHistogram(name: string, help: string): Histogram {
  const all = new Map<string, Series>();
  return {
    observe: (labels, seconds) => {
      const key = JSON.stringify(labels);
      const series = all.get(key) ?? { labels, counts: buckets.map(() => 0), count: 0, sum: 0 };
      all.set(key, series);
      for (const [index, size] of buckets.entries()) if (seconds <= size) series.counts[index] = (series.counts[index] ?? 0) + 1;
      series.count += 1;
      series.sum += seconds;
    },
    text: () => `${head(name, 'histogram', help)}${[...all.values()].map((one) => seriesText(name, one)).join('')}`,
  };
}

function seriesText(name: string, { labels, counts, count, sum }: Series): string {
  const sized = buckets.map((size, index) => line(`${name}_bucket`, { ...labels, le: String(size) }, counts[index] ?? 0));
  return [
    ...sized,
    line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ].join('');
}

function head(name: string, type: MetricType, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function line(name: string, labels: Sample['labels'], value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
