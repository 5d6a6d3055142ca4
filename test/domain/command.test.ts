import { describe, expect, it } from 'vitest';
import { fill as fillCommand, qualified, quoteIdentifier, quoteLiteral, variablesOf, type Values } from '../../domain/command.ts';

const fill = (text: string, values: Values): string => fillCommand({ kind: 'sql', text }, values);

describe('fill', () => {
  it.each([
    ['a literal', `SELECT :'name'`, { name: 'orders' }, `SELECT 'orders'`],
    ['an identifier', `DROP SLOT :"slot"`, { slot: 'steadyhand_1' }, `DROP SLOT "steadyhand_1"`],
    ['a value as it is', 'LIMIT :count', { count: 10 }, 'LIMIT 10'],
    ['a boolean', `SELECT :'flag'`, { flag: true }, `SELECT 'true'`],
    ['the same one twice', `:'a' :'a' :"a"`, { a: 'x' }, `'x' 'x' "x"`],
    ['a value beside a cast', `SELECT :'id'::bigint, :n::text, now()::date`, { id: 7, n: 1 }, `SELECT '7'::bigint, 1::text, now()::date`],
    ['a quoted literal with a colon', `SET x = 'a:b'`, { b: 'wrong' }, `SET x = 'a:b'`],
    ['a quoted identifier with a colon', `SELECT "a:b", ":b"`, { b: 'wrong' }, `SELECT "a:b", ":b"`],
    ['quotes inside a literal', `SELECT 'it''s :b', "say "":b"""`, { b: 'wrong' }, `SELECT 'it''s :b', "say "":b"""`],
    ['an assignment', `i := 1; :n`, { n: 2 }, `i := 1; 2`],
    ['a time', `SELECT '10:30:00'`, {}, `SELECT '10:30:00'`],
    ['dollar quotes, not what is in them', `DO $$ :'b' $$ :'b'`, { b: 'x' }, `DO $$ :'b' $$ 'x'`],
    ['named dollar quotes', `AS $f$ $$ :b $$ :'b' $f$ :"b"`, { b: 'x' }, `AS $f$ $$ :b $$ :'b' $f$ "x"`],
    ['no dollar of a name', `SELECT a$b, :'b', c$b`, { b: 'x' }, `SELECT a$b, 'x', c$b`],
    ['a string with escapes', `SELECT E'it\\'s :b', :'b'`, { b: 'x' }, `SELECT E'it\\'s :b', 'x'`],
    ['a name that ends with e', `SELECT type':b', :'b'`, { b: 'x' }, `SELECT type':b', 'x'`],
    ['a comment', `SELECT 1 -- it's :b\n, :'b'`, { b: 'x' }, `SELECT 1 -- it's :b\n, 'x'`],
    ['comments in a comment', `/* :b /* it's :'b' */ :"b" */ :'b'`, { b: 'x' }, `/* :b /* it's :'b' */ :"b" */ 'x'`],
    ['a division and a product', `SELECT :a / :a * :a`, { a: 2 }, `SELECT 2 / 2 * 2`],
  ])('fills in %s', (_what, text, values: Record<string, string | number | boolean>, filled) => {
    expect(fill(text, values)).toBe(filled);
  });

  it.each([
    [`orders'; DROP TABLE x; --`, `'orders''; DROP TABLE x; --'`],
    [`\\'; DROP TABLE x; --`, `E'\\\\''; DROP TABLE x; --'`],
    [`$& $1 $$`, `'$& $1 $$'`],
    [`:'other'`, `':''other'''`],
  ])('keeps the hostile literal %s inside its quotes', (value, quoted) => {
    expect(fill(`SELECT :'v'`, { v: value, other: 'wrong' })).toBe(`SELECT ${quoted}`);
  });

  it('fills the words of a shell, in which two dashes begin no comment', () => {
    expect(fillCommand({ kind: 'shell', text: '--dbname=:source' }, { source: 'host=db' })).toBe('--dbname=host=db');
  });

  it('keeps a hostile identifier inside its quotes', () => {
    expect(fill(`DROP TABLE :"t"`, { t: 'a"; DROP TABLE b; --' })).toBe('DROP TABLE "a""; DROP TABLE b; --"');
  });

  it('refuses to run half filled, and names the variable', () => {
    expect(() => fill(`SELECT :'here', :'missing'`, { here: 'a' })).toThrow('the command needs a value for :missing');
    expect(() => fill('SELECT :toString', {})).toThrow('the command needs a value for :toString');
  });
});

describe('variablesOf', () => {
  it('names each variable once, and nothing that is quoted or a cast', () => {
    const text = `SELECT :'a', :"b", :c, :'a', ':d', ":e", 1::text, $$ :f $$ -- :g`;
    expect(variablesOf({ kind: 'sql', text })).toEqual(['a', 'b', 'c']);
  });
});

describe('quoting', () => {
  it('doubles what would end the quotes', () => {
    expect(quoteIdentifier('we"ird')).toBe('"we""ird"');
    expect(quoteLiteral(`it's`)).toBe(`'it''s'`);
    expect(quoteLiteral('a\\b')).toBe(`E'a\\\\b'`);
    expect(qualified({ schema: 'My Schema', name: 't"x' })).toBe('"My Schema"."t""x"');
  });
});

it.each(['/*', '/*a', '*/', '$a$b', '$', "e'", "e'\\", "'a", "''", '"', '--', ':a', '/**/'])(
  '%s in any number takes linear time',
  (pump) => {
    for (const kind of ['sql', 'shell'] as const) {
      const text = pump.repeat(60_000 / pump.length);
      const times = Array.from({ length: 3 }, () => {
        const begin = performance.now();
        variablesOf({ kind, text });
        return performance.now() - begin;
      });
      // A quadratic one takes a second and more.
      expect(Math.min(...times)).toBeLessThan(150);
    }
  },
);
