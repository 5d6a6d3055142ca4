import { expect, test } from 'vitest';
import { aRun, application, controlPlace } from '../control/support.ts';
import { cliTest, type CliTest } from './place.ts';

const place = controlPlace();

async function begin(): Promise<{ cli: CliTest; another(): Promise<unknown>; intrude(statement: string): Promise<unknown> }> {
  const { control, database } = await place.fresh();
  const environment = { STEADYHAND_INVENTORY: 'steadyhand.yaml', STEADYHAND_CONTROL_URL: place.url(database, application) };
  const intruder = await place.client(database);
  await intruder.query('ALTER TABLE steadyhand.events DISABLE TRIGGER append_only');
  return { cli: cliTest({ environment }), another: () => aRun(control), intrude: (statement) => intruder.query(statement) };
}

test('an empty record has no anchor; a later one has the number of rows and the hash of the last', async () => {
  const { cli, another } = await begin();
  expect(await cli.run('audit', 'verify')).toEqual({ code: 0, out: '0 rows, every one fits the one before it\n', err: '' });
  await another();
  expect((await cli.run('audit', 'verify')).out).toMatch(/^1 rows, every one fits the one before it\nanchor 1:[0-9a-f]{64}\n$/);
});

test('an anchor that was kept elsewhere finds a cut-off end and a rewritten record, which nothing else does', async () => {
  const { cli, another, intrude } = await begin();
  for (let count = 0; count < 3; count += 1) await another();
  const kept = (await cli.run('audit', 'verify')).out.split('\n')[1] ?? '';
  await another();
  const grown = await cli.run('audit', 'verify', '--anchor', kept);
  expect(grown).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^4 rows, .*; the anchor's 3 are still the first of them\nanchor 4:/),
  });
  await intrude('DELETE FROM steadyhand.events WHERE seq >= 3');
  expect((await cli.run('audit', 'verify')).code).toBe(0);
  expect(await cli.run('audit', 'verify', '--anchor', kept.replace('anchor ', ''))).toMatchObject({
    code: 1,
    out: 'BAD: row 3: the anchor says that event 3 was there, the record ends with 2: its end was cut off\n',
  });
  await another();
  expect(await cli.run('audit', 'verify', '--anchor', kept)).toMatchObject({ code: 1, out: expect.stringContaining('was rewritten') });
});

test('what is no anchor is refused before anything is read', async () => {
  const refused = await cliTest().run('audit', 'verify', '--anchor', '3:abc');
  expect(refused).toMatchObject({ out: '', err: expect.stringContaining('anchor <rows>:<64 hexadecimal digits>') });
  expect(refused.code).not.toBe(0);
});
