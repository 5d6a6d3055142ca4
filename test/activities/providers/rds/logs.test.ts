import { expect, test } from 'vitest';
import { readLog } from '../../../../activities/providers/rds/logs.ts';

type Rds = Parameters<typeof readLog>[0];

const entry = { provider: 'rds', server: { dbname: 'shop' }, rds: { instance: 'orders', region: 'eu-central-1' } };
const line = (database: string, text: string, fraction = ''): string =>
  `2026-11-21 18:00:00${fraction} UTC:10.0.0.1(5):ada@${database}:[5]:LOG:  ${text}`;

/** An instance with these files, ten characters a portion; and what was asked of it. */
function instanceOf(files: Readonly<Record<string, { text: string; written: string }>>): { rds: Rds; asked: string[] } {
  const asked: string[] = [];
  const call = async (_: string, action: string, input: { LogFileName?: string; Marker?: string }): Promise<unknown> => {
    asked.push(`${action} ${input.LogFileName ?? ''}`.trim());
    await Promise.resolve();
    if (action === 'rds:DescribeDBLogFiles') {
      const list = Object.entries(files).map(([LogFileName, { written }]) => ({ LogFileName, LastWritten: Date.parse(written) }));
      return { DescribeDBLogFiles: list };
    }
    const { text } = files[input.LogFileName ?? ''] ?? { text: '' };
    const at = Number(input.Marker);
    const end = at + Math.max(10, Math.ceil(text.length / 4));
    return { LogFileData: text.slice(at, end), Marker: String(end), AdditionalDataPending: end < text.length };
  };
  // Nothing but these two calls are made of it.
  return { rds: { aws: { call }, servers: { entry: () => entry }, pace: {} } as unknown as Rds, asked };
}

const file = (hour: string): string => `error/postgresql.log.2026-11-21-${hour}`;
const time = { from: new Date('2026-11-21T16:30:00Z'), to: new Date('2026-11-21T18:10:00Z') };

async function read(rds: Rds): Promise<string[]> {
  const texts: string[] = [];
  for await (const text of readLog(rds, 'orders', time)) texts.push(text);
  return texts;
}

test('whole files of that time, the newest first, without what is of other databases of the server', async () => {
  const mine = `${line('shop', 'statement: DROP TABLE')}\n\tparcels`;
  const { rds, asked } = instanceOf({
    [file('15')]: { text: 'too old', written: '2026-11-21T15:59:59Z' },
    [file('16')]: { text: mine, written: '2026-11-21T16:59:59Z' },
    [file('17')]: { text: `${line('other', 'statement: DROP TABLE', '.123')}\n\tparcels\n${mine}`, written: '2026-11-21T17:59:59Z' },
    [file('19')]: { text: 'too new', written: '2026-11-21T19:20:00Z' },
    'trace/other.log': { text: 'another kind', written: '2026-11-21T17:59:59Z' },
  });
  expect(await read(rds)).toEqual([mine, mine]);
  expect(new Set(asked)).toEqual(
    new Set(['rds:DescribeDBLogFiles', `rds:DownloadDBLogFilePortion ${file('17')}`, `rds:DownloadDBLogFilePortion ${file('16')}`]),
  );
});

test('more than people can wait for is refused with what would help', async () => {
  const { rds } = instanceOf({ [file('17')]: { text: 'x'.repeat(33_000_000), written: '2026-11-21T17:59:59Z' } });
  await expect(read(rds)).rejects.toMatchObject({ code: 'plan-impossible', message: expect.stringContaining('before.about') as string });
});
