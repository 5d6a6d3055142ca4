import { redactExcerpt } from '../domain/redaction.ts';
import type { ClientReport, Gap, LoadReport, LoadStats } from './load-report.ts';

/** The clock, so that tests can hold it: milliseconds that only go up, and the time of day. */
export interface Clock {
  monotonic(): number;
  wall(): number;
}

const systemClock: Clock = { monotonic: () => performance.now(), wall: () => Date.now() };

/** What the clients saw, kept in the load's memory, apart from every server that may lose something. */
export interface Journal {
  /** An attempt of this n is about to be sent. */
  attempted(client: number, n: number): void;
  acknowledged(client: number, n: number, latencyMs: number): void;
  /** A sequence gave this value to a client, whether or not its transaction was committed. */
  handedOut(sequence: string, value: number): void;
  failed(code: string, message: string): void;
  inDoubt(client: number): void;
  isInDoubt(client: number): boolean;
  /** The retry of a write in doubt has settled it. */
  resolved(client: number): void;
  unexplained(): void;
  stats(): LoadStats;
  report(): LoadReport;
}

interface ClientState {
  acknowledged: number;
  attempted: number;
  inDoubt: boolean;
}

const gapsKept = 5;

export function createJournal(clients: readonly number[], clock: Clock = systemClock): Journal {
  const began = { monotonic: clock.monotonic(), wall: clock.wall() };
  const states = new Map<number, ClientState>(clients.map((client) => [client, { acknowledged: 0, attempted: 0, inDoubt: false }]));
  const counts = { acknowledged: 0, inDoubt: 0, resolved: 0, unexplained: 0, recent: 0, latency: 0, recentGap: 0 };
  const errors = new Map<string, { count: number; first: string }>();
  const handed = new Map<string, number>();
  let gaps: Gap[] = [];
  let first: number | undefined;
  let last: number | undefined;

  const iso = (monotonic: number): string => new Date(began.wall + monotonic - began.monotonic).toISOString();
  const gapSince = (now: number): Gap | undefined => (last === undefined ? undefined : { ms: now - last, from: iso(last), to: iso(now) });
  const longest = (all: readonly Gap[]): Gap[] => all.toSorted((a, b) => b.ms - a.ms).slice(0, gapsKept);
  const state = (client: number): ClientState => {
    const found = states.get(client);
    if (!found) throw new Error(`there is no client ${client}`);
    return found;
  };

  return {
    attempted: (client, n) => {
      state(client).attempted = n;
    },
    acknowledged: (client, n, latencyMs) => {
      const now = clock.monotonic();
      const gap = gapSince(now);
      if (gap && (gaps.length < gapsKept || gap.ms > (gaps.at(-1)?.ms ?? 0))) gaps = longest([...gaps, gap]);
      if (gap) counts.recentGap = Math.max(counts.recentGap, gap.ms);
      first ??= now;
      last = now;
      state(client).acknowledged = n;
      counts.acknowledged += 1;
      counts.recent += 1;
      counts.latency = Math.max(counts.latency, latencyMs);
    },
    handedOut: (sequence, value) => {
      handed.set(sequence, Math.max(handed.get(sequence) ?? value, value));
    },
    failed: (code, message) => {
      const known = errors.get(code);
      errors.set(code, { count: (known?.count ?? 0) + 1, first: known?.first ?? redactExcerpt(message, 1_000) });
    },
    inDoubt: (client) => {
      if (!state(client).inDoubt) counts.inDoubt += 1;
      state(client).inDoubt = true;
    },
    isInDoubt: (client) => state(client).inDoubt,
    resolved: (client) => {
      if (state(client).inDoubt) counts.resolved += 1;
      state(client).inDoubt = false;
    },
    unexplained: () => {
      counts.unexplained += 1;
    },
    stats: () => {
      const open = gapSince(clock.monotonic())?.ms ?? 0;
      const stats: LoadStats = {
        acknowledged: counts.acknowledged,
        perSecond: counts.recent,
        longestWriteGapMs: round(Math.max(gaps[0]?.ms ?? 0, open)),
        recentGapMs: round(Math.max(counts.recentGap, open)),
        sinceLastWriteMs: round(open),
        clientErrors: [...errors.values()].reduce((sum, one) => sum + one.count, 0),
        inDoubt: counts.inDoubt,
      };
      counts.recent = 0;
      counts.recentGap = 0;
      return stats;
    },
    report: () => {
      const now = clock.monotonic();
      const open = gapSince(now);
      const all = longest(open ? [...gaps, open] : gaps).map((gap) => ({ ...gap, ms: round(gap.ms) }));
      // Logging in is not what is measured.
      const seconds = (now - (first ?? now)) / 1_000;
      const perClient = [...states].map(([client, one]): ClientReport => ({
        client,
        acknowledged: one.acknowledged,
        attempted: one.attempted,
        unresolved: one.inDoubt,
      }));
      return {
        clients: perClient,
        startedAt: iso(first ?? began.monotonic),
        endedAt: iso(now),
        seconds: round(seconds),
        acknowledged: counts.acknowledged,
        acknowledgedPerSecond: round(seconds > 0 ? counts.acknowledged / seconds : 0),
        longestWriteGapMs: all[0]?.ms ?? 0,
        longestGaps: all,
        longestLatencyMs: round(counts.latency),
        clientErrors: Object.fromEntries([...errors].map(([code, one]) => [code, one.count])),
        firstErrors: Object.fromEntries([...errors].map(([code, one]) => [code, one.first])),
        inDoubt: counts.inDoubt,
        inDoubtResolved: counts.resolved,
        unresolved: perClient.filter((one) => one.unresolved).length,
        unexplained: counts.unexplained,
        handedOut: Object.fromEntries(handed),
      };
    },
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
