import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { apiPlace } from '../api/place.ts';
import { nowhere } from './nowhere.ts';
import { cliTest } from './place.ts';

const place = apiPlace();
const nobody = '7'.repeat(26);

/** For every command a line that must be refused, and what the refusal must say. */
const bad: Readonly<Record<string, readonly (readonly [line: readonly string[], code: 1 | 2, says: RegExp])[]>> = {
  plan: [
    [['plan', 'rehearsal'], 2, /missing required argument 'database'/],
    [['plan', 'rehearsal', 'orders', '-i', 'word'], 2, /key=value/],
    [['plan', 'rehearsal', 'orders', '--input-file', '/does/not/exist'], 2, /cannot be read/],
    [['plan', 'rehearsal', 'orders'], 1, /the input is wrong/],
  ],
  start: [
    [['start', 'nothing', 'orders'], 1, /no runbook "nothing"; there are: rehearsal/],
    [['start', 'rehearsal', 'nothing', '-i', 'word=x'], 1, /no database "nothing" in the inventory; it has: orders/],
    [['start', 'rehearsal', 'orders', '-i', 'word=x', '--key', 'a b'], 1, /idempotency-key/],
  ],
  runs: [
    [['runs', '--limit', '201'], 2, /from 1 to 200/],
    [['runs', '--since', 'yesterday'], 2, /24h/],
  ],
  show: [
    [['show', 'nonsense'], 2, /ULID/],
    [['show', nobody], 1, /no run/],
  ],
  watch: [
    [['watch', 'nonsense'], 2, /ULID/],
    [['watch', nobody], 1, /no run/],
  ],
  approve: [
    [['approve', nobody, '--digest', 'xyz'], 2, /hexadecimal/],
    [['approve', nobody, '--yes'], 1, /no run/],
  ],
  reject: [
    [['reject', nobody], 2, /--reason/],
    [['reject', nobody, '--reason', 'no'], 1, /no run/],
  ],
  withdraw: [
    [['withdraw', 'nonsense'], 2, /ULID/],
    [['withdraw', nobody], 1, /no run/],
  ],
  decide: [
    [['decide', nobody, 'perhaps'], 2, /retry/],
    [['decide', nobody, 'retry'], 1, /no run/],
  ],
  cancel: [
    [['cancel', nobody], 2, /--reason/],
    [['cancel', nobody, '--reason', 'x'], 1, /no run/],
  ],
  'break-glass': [
    [['break-glass', nobody], 2, /--reason/],
    [['break-glass', nobody, '--reason', 'x'], 1, /no run/],
  ],
  review: [
    [['review', nobody], 2, /--reason/],
    [['review', nobody, '--reason', 'x'], 1, /no run/],
  ],
  janitor: [[['janitor', '--dance'], 2, /--dance/]],
  proofs: [
    [['proofs', '--limit', '201'], 2, /from 1 to 200/],
    [['proofs', 'nothing'], 1, /no database "nothing"/],
    [['proofs', '--before', 'nonsense'], 1, /ULID/],
  ],
  'lease list': [[['lease', 'list', '--dance'], 2, /--dance/]],
  'lease show': [[['lease', 'show', 'nothing'], 1, /no database "nothing"/]],
  'lease release': [
    [['lease', 'release', 'orders'], 2, /--reason/],
    [['lease', 'release', 'orders', '--reason', 'x'], 1, /dba/],
  ],
  'freeze on': [
    [['freeze', 'on'], 2, /--reason/],
    [['freeze', 'on', '--reason', 'x'], 1, /dba/],
  ],
  'freeze off': [
    [['freeze', 'off', nobody], 2, /--reason/],
    [['freeze', 'off', nobody, '--reason', 'x'], 1, /freeze/],
  ],
  'freeze list': [[['freeze', 'list', '--dance'], 2, /--dance/]],
  'audit list': [[['audit', 'list', '--run', 'nonsense'], 2, /ULID/]],
  'audit verify': [[['audit', 'verify'], 1, /STEADYHAND_CONTROL_URL: is not set/]],
  'token create': [
    [['token', 'create'], 2, /--person/],
    [['token', 'create', '--person', 'ada', '--service'], 2, /needs --scope/],
    [['token', 'create', '--person', 'ada', '--scope', 'all'], 2, /read, plan, start/],
    [['token', 'create', '--person', 'ada', '--expires', 'soon'], 2, /12h or 90d/],
    [['token', 'create', '--person', 'ada', '--expires', '99999d'], 2, /at most 3650d/],
  ],
  'token list': [[['token', 'list'], 1, /STEADYHAND_INVENTORY: is not set/]],
  'token rotate': [
    [['token', 'rotate', 'x', '--overlap', 'soon'], 2, /24h|12h/],
    [['token', 'rotate', 'x', '--expires', '0s'], 2, /nobody can use/],
  ],
  'token revoke': [[['token', 'revoke'], 2, /missing required argument 'id'/]],
  worker: [[['worker'], 1, /STEADYHAND_CONTROL_URL: is not set/]],
  api: [[['api'], 1, /STEADYHAND_CONTROL_URL: is not set/]],
  migrate: [[['migrate'], 1, /STEADYHAND_CONTROL_URL: is not set/]],
};

function leaves(command: Command, above = ''): string[] {
  const name = `${above} ${command.name()}`.trim();
  return command.commands.length === 0 ? [name] : command.commands.flatMap((inner) => leaves(inner, name));
}

test('every command has its bad lines here', () => {
  const all = createProgram(nowhere, []).commands.flatMap((command) => leaves(command));
  expect(all.toSorted()).toEqual(Object.keys(bad).toSorted());
});

test('a bad line of every command is refused with what to do, and changes nothing', async () => {
  const api = await place.begin();
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' });
  const cli = cliTest({ environment: { STEADYHAND_API_URL: address, STEADYHAND_TOKEN: await api.tokenOf('ada') } });
  const before = await api.control.events.last();
  for (const [line, code, says] of Object.values(bad).flat()) {
    const refused = await cli.run(...line);
    expect.soft(refused, line.join(' ')).toMatchObject({ code, err: expect.stringMatching(says) });
    if (code === 1) expect.soft(refused.err, line.join(' ')).toMatch(/\n {2}do: \S/);
  }
  expect(await api.control.events.last()).toBe(before);
  expect(api.temporal.started).toEqual([]);
});
