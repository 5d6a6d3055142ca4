import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readInput } from '../../cli/input.ts';
import { UsageError } from '../../cli/world.ts';

test('key=value: JSON is taken as such, anything else is text, a dot goes one level in', () => {
  expect(
    readInput({ input: ['target=orders-18', 'limits.pauseMs=2000', 'limits.lagBytes=1e6', 'dry=true', 'code="007"', 'note=a=b', 'none='] }),
  ).toEqual({
    target: 'orders-18',
    limits: { pauseMs: 2000, lagBytes: 1e6 },
    dry: true,
    code: '007',
    note: 'a=b',
    none: '',
  });
});

test('a file is JSON or YAML, and a pair overrides it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'steadyhand-input-'));
  const file = join(directory, 'input.yaml');
  writeFileSync(file, 'target: orders-18\nlimits:\n  pauseMs: 1000\n');
  const read = readInput({ inputFile: file, input: ['limits.pauseMs=5'] });
  writeFileSync(file, '- a list');
  expect(() => readInput({ inputFile: file })).toThrow(UsageError);
  writeFileSync(file, '{"a": ');
  expect(() => readInput({ inputFile: file })).toThrow(UsageError);
  rmSync(directory, { recursive: true });
  expect(read).toEqual({ target: 'orders-18', limits: { pauseMs: 5 } });
  expect(() => readInput({ inputFile: file })).toThrow('cannot be read');
});

test.each(['target', '=x', '__proto__.polluted=1', 'a..b=1', 'a b=1'])('%s is no key=value', (pair) => {
  expect(() => readInput({ input: [pair] })).toThrow(UsageError);
});

test('a key that every object has is a key like any other', () => {
  expect(readInput({ input: ['constructor.name=x'] })).toEqual({ constructor: { name: 'x' } });
  expect(() => readInput({ input: ['a=1', 'a.b=2'] })).toThrow('holds no fields');
});
