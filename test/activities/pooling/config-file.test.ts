import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { addAlias, dropAlias, readAlias, readAliases, writeAlias } from '../../../activities/pooling/config-file.ts';
import { inTurn } from '../../../activities/pooling/file-lock.ts';
import { eventually } from '../../support/eventually.ts';

const text = [
  '; orders = host=commented port=1 dbname=out',
  '[users]',
  'orders = pool_mode=session',
  '[databases]',
  '# the main one',
  "orders = host=10.0.0.1  port=5432 dbname=orders pool_size=20 auth_user='a ''b' password='se=cret dbname=x'",
  '  "odd ""name" =   dbname = \'two words\' host=\'/run/pg sock\'\t',
  'bare=',
  '* = host=10.0.0.9',
  '',
  '[pgbouncer]',
  'orders = host=not-here port=2 dbname=no',
  '',
].join('\n');

const next = { host: '10.0.0.2', port: 5433, dbname: 'orders' };

let file = '';
beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-alias-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  file = join(directory, 'pgbouncer.ini');
  await writeFile(file, text);
});

const written = async (): Promise<string> => await readFile(file, 'utf8');

describe('reading', () => {
  test('aliases of [databases] only, with PgBouncer’s defaults and quoting', async () => {
    expect([...(await readAliases(file))]).toEqual([
      ['orders', { host: '10.0.0.1', port: 5432, dbname: 'orders' }],
      ['odd "name', { host: '/run/pg sock', port: 5432, dbname: 'two words' }],
      ['bare', { host: '', port: 5432, dbname: 'bare' }],
    ]);
    expect(await readAlias(file, 'absent')).toBeUndefined();
  });

  test('a line that cannot be read is refused without showing it', async () => {
    await writeFile(file, '[databases]\norders = host=x password=secret oops');
    await expect(readAliases(file)).rejects.toMatchObject({ code: 'pooler-failed', message: expect.not.stringContaining('secret') });
  });
});

describe('writing', () => {
  test('three values change, every other byte stays', async () => {
    await writeAlias(file, 'orders', next);
    expect(await written()).toBe(
      text.replace('host=10.0.0.1  port=5432 dbname=orders pool', 'host=10.0.0.2  port=5433 dbname=orders pool'),
    );
    await writeAlias(file, 'orders', { host: '10.0.0.1', port: 5432, dbname: 'orders' });
    expect(await written()).toBe(text);
  });

  test('values are quoted when they need it, missing keys are added', async () => {
    await writeAlias(file, 'odd "name', { host: '::1', port: 6000, dbname: "it's" });
    await writeAlias(file, 'bare', { host: 'h', port: 1, dbname: 'd' });
    expect(await readAlias(file, 'odd "name')).toEqual({ host: '::1', port: 6000, dbname: "it's" });
    expect(await written()).toContain(`  "odd ""name" =   dbname = 'it''s' host='::1'\tport=6000\n`);
    expect(await written()).toContain('bare=host=h port=1 dbname=d\n');
  });

  test('owner, mode and a link stay; nothing is left beside the file', async () => {
    await chmod(file, 0o640);
    const link = `${file}.link`;
    await symlink(file, link);
    await writeAlias(link, 'orders', next);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await readAlias(file, 'orders')).toEqual(next);
  });

  test('an alias that is not there, or twice, is refused', async () => {
    await expect(writeAlias(file, 'absent', next)).rejects.toMatchObject({ code: 'pooler-failed' });
    await writeFile(file, '[databases]\na = host=x\na = host=y\n');
    await expect(writeAlias(file, 'a', next)).rejects.toMatchObject({ code: 'pooler-failed' });
    await expect(writeAlias(file, 'a', { ...next, host: 'x\ny' })).rejects.toMatchObject({ code: 'pooler-failed' });
  });

  test('a line break cannot be smuggled in', async () => {
    await expect(writeAlias(file, 'orders', { ...next, dbname: 'x\n[pgbouncer]' })).rejects.toMatchObject({ code: 'input-invalid' });
    expect(await written()).toBe(text);
  });
});

describe('several at once', () => {
  const numbers = Array.from({ length: 12 }, (_, index) => index + 1);

  test('each change stands, and nothing is left beside the file', async () => {
    await writeFile(file, `[databases]\n${numbers.map((one) => `a${one} = host=old port=1 dbname=d`).join('\n')}\n`);
    await Promise.all(numbers.map((one) => writeAlias(file, `a${one}`, { host: 'new', port: one, dbname: 'd' })));
    expect([...(await readAliases(file))]).toEqual(numbers.map((one) => [`a${one}`, { host: 'new', port: one, dbname: 'd' }]));
    expect(await readdir(dirname(file))).toEqual([basename(file)]);
  });

  test('a process that died with the lock does not hold up the others, of whom each gets its turn', async () => {
    await writeFile(`${file}.steadyhand-lock`, '');
    await Promise.all([writeAlias(file, 'orders', next), writeAlias(file, 'bare', next), dropAlias(file, 'odd "name')]);
    const aliases = await readAliases(file);
    expect([aliases.get('orders'), aliases.get('bare'), aliases.get('odd "name')]).toEqual([next, next, undefined]);
    expect(await readdir(dirname(file))).toEqual([basename(file)]);
  });

  test('who stood still with the lock learns that it is another one’s now, and leaves that one its lock', async () => {
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
    const slept = inTurn(file, async (stillMine) => {
      await woken;
      await stillMine();
    });
    await eventually(async () => ((await readdir(dirname(file))).length === 2 ? true : undefined));
    await inTurn(file, async (stillMine) => {
      wake();
      await expect(slept).rejects.toMatchObject({ code: 'pooler-failed' });
      await stillMine();
    });
    expect(await readdir(dirname(file))).toEqual([basename(file)]);
  });
});

describe('another alias for a while', () => {
  test('it has the other keys of the line it is like, and goes without a trace', async () => {
    await addAlias(file, 'orders_steadyhand_next', 'orders', next);
    await addAlias(file, 'orders_steadyhand_next', 'orders', next);
    expect(await readAlias(file, 'orders_steadyhand_next')).toEqual(next);
    expect((await written()).match(/orders_steadyhand_next = .* pool_size=20 auth_user='a ''b'/g)).toHaveLength(1);
    await dropAlias(file, 'orders_steadyhand_next');
    await dropAlias(file, 'orders_steadyhand_next');
    expect(await written()).toBe(text);
  });
});
