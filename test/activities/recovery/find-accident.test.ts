import { expect, test } from 'vitest';
import type { Accident } from '../../../domain/accident.ts';
import type { Servers } from '../../../activities/postgres/session.ts';
import { findAccident, type FoundAccident } from '../../../activities/recovery/find-accident.ts';
import { failureOf } from '../../control/support.ts';

// A server that keeps no time of commits: what it has to tell other tests hold.
const servers = {
  open: async () => await Promise.resolve({ query: async () => await Promise.resolve([{ on: false }]), end: () => Promise.resolve() }),
} as unknown as Servers;

const until = '2026-11-21T18:30:00.000Z';
const line = (time: string, statement: string): string => `2026-11-21 ${time} UTC:10.0.0.1(5):ada@shop:[5]:LOG:  statement: ${statement}`;

/** The newest file first, as a provider reads them. */
const files = [
  [line('18:10:00', 'SELECT 1'), line('18:20:00', 'TRUNCATE parcels')],
  [line('17:05:07', 'DROP TABLE parcels'), line('17:40:00', 'DROP TABLE public.parcels'), line('17:41:00', 'DROP TABLE letters')],
  [line('16:59:00', 'DROP TABLE parcels')],
].map((lines) => lines.join('\n'));

async function found(
  accident: Omit<Accident, 'table'>,
  { text = files, last = until } = {},
): Promise<FoundAccident & { asked: { from: Date; to: Date }[]; read: number }> {
  const asked: { from: Date; to: Date }[] = [];
  let read = 0;
  const logs = {
    async *read(_: string, time: { from: Date; to: Date }) {
      asked.push(time);
      for (const one of text) {
        read += 1;
        yield await Promise.resolve(one);
      }
    },
  };
  const table = { schema: 'public', name: 'parcels' };
  const search = { servers, logs, database: 'orders', accident: { ...accident, table }, until: last, newestRow: undefined };
  return { ...(await findAccident(search)), asked, read };
}

test('the last one of the last day, from the newest file that has any; those beside it are told', async () => {
  const { binding, observed, asked, read } = await found({ what: 'dropped' });
  expect(binding).toMatchObject({
    moment: '2026-11-21T17:39:59Z',
    removedAt: '2026-11-21T17:40:00Z',
    by: 'log',
    statement: 'DROP TABLE public.parcels',
  });
  expect(observed).toEqual({
    lastCommit: null,
    perSecond: null,
    counted: null,
    others: ['2026-11-21T17:05:07Z: DROP TABLE parcels'],
  });
  expect(read).toBe(2);
  expect(asked).toEqual([{ from: new Date('2026-11-20T18:30:00Z'), to: new Date(until) }]);
});

test.each([
  [
    'the nearest to what people remember, an hour around it',
    { what: 'dropped', about: '2026-11-21T18:07:00+01:00' },
    '2026-11-21T17:05:06Z',
  ],
  ['another verb is another accident', { what: 'truncated' }, '2026-11-21T18:19:59Z'],
] as const)('%s', async (_, accident, moment) => {
  expect((await found(accident)).binding.moment).toBe(moment);
});

test('one of the very second in which it is asked for counts', async () => {
  expect((await found({ what: 'dropped' }, { last: '2026-11-21T17:40:00.079Z' })).binding.moment).toBe('2026-11-21T17:39:59Z');
});

test('what came after the run was asked for is not what it was asked for', async () => {
  expect((await found({ what: 'dropped' }, { last: '2026-11-21T17:40:00.000Z' })).binding.moment).toBe('2026-11-21T17:05:06Z');
});

test('where nothing tells it is refused with what would help; so is a memory without a time zone', async () => {
  const nothing = await failureOf('plan-impossible', found({ what: 'deleted' }));
  expect(nothing.message).toContain('log_statement = mod');
  expect(nothing.message).toContain('-i moment=');
  await failureOf('plan-impossible', found({ what: 'dropped' }, { text: [] }));
  await failureOf('input-invalid', found({ what: 'dropped', about: '2026-11-21T18:07:00' }));
});
