/** A backup as the rule of keeping sees it. */
export interface Kept {
  readonly id: string;
  /** When its data is from: ISO 8601 in UTC. */
  readonly takenAt: string;
  /** It was restored and queried. Nothing less counts as good. */
  readonly good: boolean;
  /** Why it must not go, such as a legal hold. */
  readonly held: string | null;
}

export interface Retention {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
}

export const grandfatherFatherSon: Retention = { daily: 7, weekly: 4, monthly: 12, yearly: 7 };

export interface Judged extends Kept {
  readonly keep: boolean;
  /** Why it stays or goes: `daily, monthly`. */
  readonly because: string;
}

/**
 * Which backups stay: of each of the last 7 days, 4 weeks, 12 months and 7 years that have a good one the newest good one. Days
 * without one take no place, so the clock alone removes nothing, and the newest good one always stays. What nobody has proved takes
 * no place either; it stays until a newer one is proved. Newest first; what stays, stays when asked again.
 */
export function judgeBackups(backups: readonly Kept[], retention: Retention = grandfatherFatherSon): Judged[] {
  const sorted = backups.toSorted((one, other) => other.takenAt.localeCompare(one.takenAt) || one.id.localeCompare(other.id));
  const good = sorted.filter((one) => one.good);
  const places = new Map<string, string[]>();
  for (const name of ['daily', 'weekly', 'monthly', 'yearly'] as const) {
    for (const { id } of newestOfEach(good, periods[name], retention[name])) places.set(id, [...(places.get(id) ?? []), name]);
  }
  const newest = good[0]?.takenAt;
  return sorted.map((one) => ({ ...one, ...verdict(one, places.get(one.id) ?? [], newest) }));
}

function verdict(one: Kept, places: readonly string[], newestGood: string | undefined): Pick<Judged, 'keep' | 'because'> {
  if (one.held !== null) return { keep: true, because: one.held };
  if (places.length > 0) return { keep: true, because: places.join(', ') };
  if (one.good) return { keep: false, because: 'no daily, weekly, monthly or yearly one' };
  if (newestGood === undefined || one.takenAt >= newestGood) return { keep: true, because: 'no newer one is proved' };
  return { keep: false, because: 'never proved, and a newer one is' };
}

function newestOfEach(sorted: readonly Kept[], period: (moment: Date) => string, count: number): Kept[] {
  const found = new Map<string, Kept>();
  for (const one of sorted) {
    const called = period(new Date(one.takenAt));
    if (!found.has(called)) found.set(called, one);
  }
  return [...found.values()].slice(0, count);
}

const dayMs = 86_400_000;

/** The names of periods, in UTC; weeks begin on Monday. */
const periods: Readonly<Record<keyof Retention, (moment: Date) => string>> = {
  daily: (moment) => moment.toISOString().slice(0, 10),
  weekly: (moment) => new Date(moment.getTime() - ((moment.getUTCDay() + 6) % 7) * dayMs).toISOString().slice(0, 10),
  monthly: (moment) => moment.toISOString().slice(0, 7),
  yearly: (moment) => moment.toISOString().slice(0, 4),
};

/** A tag `legal-hold`, whatever its value: such a backup is removed by nobody. */
export function heldBy(tags: Readonly<Record<string, string>>): string | null {
  return Object.keys(tags).some((name) => name.toLowerCase() === 'legal-hold') ? 'legal hold' : null;
}
