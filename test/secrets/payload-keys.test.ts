import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../worker/config.ts';
import { workflowBundle } from '../../worker/bundle.ts';

const least = { STEADYHAND_INVENTORY: 'steadyhand.yaml', STEADYHAND_CONTROL_URL: 'postgres://app@db/control' };
const bytes = Buffer.from('hunter2-hunter2-hunter2-hunter2!');
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'steadyhand-keys-'));
  writeFileSync(join(directory, 'key'), `${bytes.toString('base64')}\n`);
  writeFileSync(join(directory, 'short'), 'aHVudGVyMg==');
  writeFileSync(join(directory, 'old.js'), 'var __TEMPORAL__;');
});
afterAll(() => rmSync(directory, { recursive: true }));

test('keys come from files and variables, in base64, URL’s base64 or hex; no print shows them', () => {
  const config = readConfig({
    ...least,
    STEADYHAND_PAYLOAD_KEYS: `new=file:${join(directory, 'key')}, old=env:OLD_KEY,older=env:OLDER_KEY`,
    OLD_KEY: bytes.toString('hex'),
    OLDER_KEY: bytes.toString('base64url'),
  });
  expect(config.payloadKeys.map(({ id }) => id)).toEqual(['new', 'old', 'older']);
  for (const { key } of config.payloadKeys) expect(key.export()).toEqual(bytes);
  expect(inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toMatch(/hunter2|aHVudGVy|68756e746572/);
});

test('without the variable nothing is encrypted', () => {
  expect(readConfig(least).payloadKeys).toEqual([]);
});

test('all that is wrong with them is said, by place, without what stands there', () => {
  const text = [`new=file:${join(directory, 'gone')}`, 'a=env:NOWHERE', 'hunter2secret', `b=file:${join(directory, 'short')}`];
  const twice = [`c=file:${join(directory, 'key')}`, `c=file:${join(directory, 'key')}`];
  const read = (): unknown => readConfig({ ...least, STEADYHAND_PAYLOAD_KEYS: [...text, ...twice].join(',') });
  expect(read).toThrow(/^5 problems/);
  for (const said of [
    /PAYLOAD_KEYS: entry 1: the file .*gone can not be read/,
    /entry 2: the variable NOWHERE is not set/,
    /entry 3: it must say/,
    /entry 4: the key "b" must be 32 bytes/,
    /entry 6: there is another key "c"/,
  ])
    expect(read).toThrow(said);
  expect(read).not.toThrow(/hunter2|aHVudGVy/);
});

test('the page of Temporal is an origin', () => {
  expect(readConfig({ ...least, STEADYHAND_TEMPORAL_PAGE: 'https://temporal.example.com/' }).temporalPage).toBe(
    'https://temporal.example.com',
  );
  expect(() => readConfig({ ...least, STEADYHAND_TEMPORAL_PAGE: 'javascript:alert(1)' })).toThrow(
    'STEADYHAND_TEMPORAL_PAGE: an address such as',
  );
});

test('a bundle that can not encrypt failures is refused with keys, and taken without', async () => {
  const old = join(directory, 'old.js');
  await expect(workflowBundle(old, { encodes: true })).rejects.toMatchObject({
    code: 'configuration-invalid',
    message: expect.stringContaining('build it again'),
  });
  expect(await workflowBundle(old, { encodes: false })).toEqual({ code: 'var __TEMPORAL__;' });
  await expect(workflowBundle(join(directory, 'gone.js'), { encodes: false })).rejects.toMatchObject({ code: 'configuration-invalid' });
});
