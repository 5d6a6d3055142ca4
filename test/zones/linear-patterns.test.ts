import { expect, test } from 'vitest';
import { productSources, type RegularExpression } from '../support/product-sources.ts';

/** Made at run time from constants of the same file; its tests give it hostile texts. */
const constructed = ['domain/command.ts', 'domain/command.ts'];

const length = 12_000;
const limitMs = 8;

test('every regular expression of the product takes linear time', { timeout: 300_000 }, () => {
  const { expressions, constructed: found } = productSources();
  expect(expressions.length).toBeGreaterThan(100);
  expect(found, 'a test has to give these hostile texts').toEqual(constructed);
  const slow = expressions.flatMap((expression) => {
    const text = slowText(expression);
    return text === undefined ? [] : [`${expression.file}: /${expression.pattern}/${expression.flags} with ${text}`];
  });
  expect(slow).toEqual([]);
});

test.each([
  ['(a+)+$', ''],
  ['[^:]+$', ''],
  ['role .* does not exist', 'i'],
  ['--[^\\n]*|\\/\\*[\\s\\S]*?\\*\\/', 'g'],
  ['^\\d{4} \\w+:[^\\n]*?@([^\\n]*?):\\[\\d+\\]:', ''],
  ['\\b[a-z][a-z0-9+.-]*:\\/\\/', 'gi'],
])('it finds that /%s/%s does not', (pattern, flags) => {
  expect(slowText({ file: '', pattern, flags })).toBeDefined();
});

/** A text made of what the expression asks for, repeated, that it needs too long for. */
function slowText({ pattern, flags }: RegularExpression): string | undefined {
  if (!/[*+{]/.test(pattern)) return undefined;
  const anchored = pattern.startsWith('^') || flags.includes('y');
  for (const text of textsFor(pattern, flags, anchored))
    if (leastMs(pattern, flags, text) > limitMs) return `${JSON.stringify(text.slice(0, 60))}… of ${text.length}`;
  return undefined;
}

function* textsFor(pattern: string, flags: string, anchored: boolean): Generator<string> {
  const atoms = atomsOf(pattern);
  const ends = new Set(['', '\u0001', ...atoms.filter(({ atom }) => atom.startsWith('[^')).map(({ atom }) => signNotOf(atom, flags))]);
  // What grows exponentially does so in a short text, and would never come back from a long one.
  const sizes = /[*+}]\)[*+{]/.test(pattern) ? [24, length] : [length];
  const seen = new Set<string>();
  for (const order of orders) {
    const signs = atoms.map(({ atom, count }) => signOf(atom, flags, order).repeat(count));
    for (const [from, to] of slices(signs.length)) {
      const pump = signs.slice(from, to).join('');
      for (const head of new Set([signs.slice(0, from).join(''), ...(anchored ? [] : [''])])) {
        if (pump === '' || seen.size === seen.add(`${head}/${pump}`).size) continue;
        for (const size of sizes) for (const end of ends) yield head + pump.repeat(Math.ceil(size / pump.length)) + end;
      }
    }
  }
}

function* slices(length: number): Generator<[number, number]> {
  for (let from = 0; from < length; from += 1) for (let to = from + 1; to <= Math.min(length, from + 5); to += 1) yield [from, to];
}

function leastMs(pattern: string, flags: string, text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < 4 && least > limitMs; repetition += 1) {
    const expression = new RegExp(pattern, flags);
    const begin = performance.now();
    text.replace(expression, '');
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}

interface Atom {
  readonly atom: string;
  /** How often it has to be there at least, but once. */
  readonly count: number;
}

/** The parts of a pattern that stand for one character. */
function atomsOf(pattern: string): Atom[] {
  const parts = pattern.matchAll(
    /(\\(?:k<\w+>|[pP]\{\w+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])|\[(?:\\[\s\S]|[^\]\\])*\]|\(\?(?:<?[=!]|:|<\w+>)|[^()|?*+^$])(?:\{(\d+),?\d*\})?/g,
  );
  return [...parts]
    .map(([, atom = '', count = '1']) => ({ atom, count: Math.max(1, Number(count)) }))
    .filter(({ atom }) => !/^(?:\(\?|\\[bBk])/.test(atom));
}

const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
const others = ['\n', '\t', '\u0001', '\u202a', 'é'];
/** A class of characters stands for a letter, or for a sign. */
const orders = [
  ['a', '0', ' ', ...printable, ...others],
  ['.', '-', ...printable.filter((sign) => /\W/.test(sign)), ...printable, ...others],
] as const;

function signOf(atom: string, flags: string, order: readonly string[]): string {
  return order.find((sign) => whole(atom, flags).test(sign)) ?? '';
}

function signNotOf(atom: string, flags: string): string {
  return orders[0].find((sign) => !whole(atom, flags).test(sign)) ?? '';
}

const whole = (atom: string, flags: string): RegExp => new RegExp(`^(?:${atom})$`, flags.replaceAll(/[gy]/g, ''));
