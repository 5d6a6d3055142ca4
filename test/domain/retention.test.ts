import { expect, test } from 'vitest';
import { grandfatherFatherSon, heldBy, judgeBackups, type Kept } from '../../domain/retention.ts';

const dayMs = 86_400_000;
const end = Date.parse('2026-11-21T03:00:00Z');

const backup = (daysAgo: number, more: Partial<Kept> = {}): Kept => ({
  id: `copy-${String(daysAgo).padStart(4, '0')}`,
  takenAt: new Date(end - daysAgo * dayMs).toISOString(),
  good: true,
  held: null,
  ...more,
});
const days = (count: number, more: Partial<Kept> = {}): Kept[] => Array.from({ length: count }, (_, ago) => backup(ago, more));
const kept = (backups: readonly Kept[]): string[] =>
  judgeBackups(backups)
    .filter((one) => one.keep)
    .map((one) => one.id);
const rest = (backups: readonly Kept[]): Kept[] => backups.filter((one) => kept(backups).includes(one.id));

test('a daily backup of ten years leaves 7 days, 4 weeks, 12 months and 7 years', () => {
  const judged = judgeBackups(days(3_650));
  for (const [name, count] of Object.entries(grandfatherFatherSon)) {
    expect(judged.filter((one) => one.keep && one.because.split(', ').includes(name))).toHaveLength(count);
  }
  expect(judged.filter((one) => one.keep).length).toBeLessThanOrEqual(7 + 4 + 12 + 7);
  expect(judged.filter((one) => one.keep && one.because.includes('daily')).map((one) => one.id)).toEqual(days(7).map((one) => one.id));
});

test('weeks begin on Monday, and a week that spans a new year is one', () => {
  const monday = Date.parse('2025-12-29T01:00:00Z');
  const at = (day: number): Kept => ({ id: `d${day}`, takenAt: new Date(monday + day * dayMs).toISOString(), good: true, held: null });
  const one = { daily: 0, weekly: 9, monthly: 0, yearly: 0 };
  const weeks = judgeBackups([-1, 0, 3, 6, 7].map(at), one).filter((judged) => judged.keep);
  expect(weeks.map(({ id }) => id)).toEqual(['d7', 'd6', 'd-1']);
});

test('of one day the newest stays', () => {
  const noon = { ...backup(0), id: 'noon', takenAt: '2026-11-20T12:00:00.000Z' };
  const night = { ...backup(0), id: 'night', takenAt: '2026-11-20T23:00:00.000Z' };
  expect(kept([noon, night])).toEqual(['night']);
});

test('days without a backup take no place: time alone removes nothing', () => {
  const old = days(5).map((one) => ({ ...one, takenAt: one.takenAt.replace('2026', '2001') }));
  expect(kept(old)).toHaveLength(5);
});

test('what was not restored and queried takes no place, and goes only when a newer one was', () => {
  expect(kept(days(40, { good: false }))).toHaveLength(40);
  const mixed = [...days(10, { good: false }), ...days(20).slice(10)];
  expect(kept(mixed).slice(0, 10)).toEqual(mixed.slice(0, 10).map((one) => one.id));
  expect(judgeBackups([backup(0), backup(1, { good: false })])[1]).toMatchObject({
    keep: false,
    because: 'never proved, and a newer one is',
  });
});

test('a legal hold stays, though it was never proved', () => {
  const held = backup(5_000, { held: 'legal hold', good: false });
  expect(kept([...days(40), held])).toEqual([...kept(days(40)), held.id]);
});

test('a tag of that name holds, whatever it says', () => {
  expect(heldBy({ 'Legal-Hold': 'false', team: 'orders' })).toBe('legal hold');
  expect(heldBy({ team: 'legal-hold' })).toBeNull();
});

/** The same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function anyBackups(seed: number): Kept[] {
  const next = numbers(seed);
  const days = [2, 20, 200, 2_000][seed % 4] ?? 0;
  return Array.from({ length: Math.floor(next() * 60) }, (_, at) => ({
    id: `any-${at}`,
    takenAt: new Date(end - Math.floor(next() * days * dayMs)).toISOString(),
    good: next() < 0.6,
    held: next() < 0.1 ? 'legal hold' : null,
  }));
}

test.each(Array.from({ length: 300 }, (_, seed) => seed + 1))(
  'whatever there is (%i): the last good one and holds stay, nothing goes later',
  (seed) => {
    const backups = anyBackups(seed);
    const left = rest(backups);
    const newest = backups.filter((one) => one.good).toSorted((one, other) => other.takenAt.localeCompare(one.takenAt))[0];
    if (newest) expect(left.filter((one) => one.good).map((one) => one.takenAt)).toContain(newest.takenAt);
    expect(left.filter((one) => one.held !== null)).toEqual(backups.filter((one) => one.held !== null));
    // Asked again with what is left: all of it stays.
    expect(rest(left)).toEqual(left);
    // The order in which they are told is nothing.
    expect(kept(backups.toReversed())).toEqual(kept(backups));
  },
);
