import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/steadyhand.js', import.meta.url));
const nowhere = { PATH: process.env['PATH'], STEADYHAND_API_URL: 'http://127.0.0.1:9', STEADYHAND_TOKEN: 'sh_0_x' };

async function ended(...args: string[]): Promise<unknown> {
  const child = spawn(process.execPath, [bin, ...args], { env: nowhere, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return code;
}

test.each([
  [0, 'it did what was asked', ['runs', '--help']],
  [1, 'it could not', ['runs']],
  [2, 'the command line is wrong', ['runs', '--limit', 'many']],
  [2, 'there is no such command', ['rnus']],
] as const)('the process ends with %i when %s', async (code, _, args) => {
  expect(await ended(...args)).toBe(code);
});

test('told to stop while it waits for an answer it ends by that signal', async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  const env = { ...nowhere, STEADYHAND_API_URL: `http://127.0.0.1:${address.port}` };
  const child = spawn(process.execPath, [bin, 'runs'], { env, stdio: 'ignore' });
  await once(silent, 'connection');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
});
