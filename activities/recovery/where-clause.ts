import { variablesOf } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';

/**
 * Makes sure that the text is one condition that can't leave the parentheses it is put into: quotes closed, parentheses balanced,
 * and nothing in it that would need a parser of SQL to be judged (comments, dollar quotes, backslashes, semicolons). Raises
 * `input-invalid`. What the condition calls is for the people who approve: it stands in the plan word for word.
 */
export function requireCondition(text: string, table: string): void {
  const problem = problemOf(text);
  if (problem === undefined) return;
  throw new Failure('input-invalid', `the condition for ${table} ${problem}: ${text.slice(0, 200)}`, { table });
}

/** What the clock or chance says. */
const moving =
  /\b(?:current_(?:date|time|timestamp)|localtime|localtimestamp)\b|\b(?:now|(?:clock|statement|transaction)_timestamp|timeofday|random|gen_random_uuid)\s*\(/i;

function problemOf(text: string): string | undefined {
  if (text.trim() === '') return 'is empty';
  const bare = text.replace(/'[^']*'|"[^"]*"/g, (quoted) => (quoted.includes('\\') ? '\\' : ' x '));
  if (/['"]/.test(bare)) return 'has a quote that is never closed';
  if (/;|--|\/\*|\*\/|\$|\\/.test(bare)) return 'has a semicolon, a comment, a dollar or a backslash, which are not taken here';
  if (text.includes('\0')) return 'has a zero byte';
  let depth = 0;
  for (const [bracket] of bare.matchAll(/[()]/g)) {
    depth += bracket === '(' ? 1 : -1;
    if (depth < 0) return 'closes a parenthesis that it never opened';
  }
  if (depth > 0) return 'opens a parenthesis that it never closes';
  if (moving.test(bare))
    return 'fits other rows at another time it is read: write the moment itself, as the copy has stood still since then';
  // It is read as a psql variable: the run would look for a value.
  return variablesOf({ kind: 'sql', text }).length > 0 ? 'has a colon before a name' : undefined;
}
