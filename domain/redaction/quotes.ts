/** Quotes of one kind in a row: `''''`, or `\"\"` with the same number of backslashes before each. */
interface Run {
  readonly start: number;
  count: number;
}

/** Finds where a quoted value ends. */
export interface Quotes {
  /**
   * The end of the value whose quotes (or the backslashes before them) open at `at`, undefined when no quote is there. A value
   * that is never closed ends with the text: too much is redacted rather than too little. Call it with ascending positions.
   */
  endOf(at: number): number | undefined;
}

/**
 * The quotes of a text. A value in a literal in a literal has its quotes doubled each time, and JSON in JSON puts more backslashes
 * before them each time. The value's own quotes are doubled once more, or have more backslashes, so they close nothing.
 */
export function quotesOf(text: string): Quotes {
  let runs: Map<string, Run[]> | undefined;
  const next = new Map<string, number>();
  return {
    endOf: (at) => {
      const slashes = slashesAt(text, at);
      const sign = text.charAt(at + slashes);
      if (!isQuote(sign)) return undefined;
      const unit = `${'\\'.repeat(slashes)}${sign}`;
      const count = unitsAt(text, at, unit);
      if (isEmptyText(text, at, unit, count)) return at + unit.length * 2;
      // The value's own quotes at its beginning are twins of the opening's width: what is left is the lowest bit.
      const width = count & -count;
      runs ??= runsOf(text);
      const same = runs.get(kindOf(sign, slashes)) ?? [];
      const from = at + count * unit.length;
      const key = `${kindOf(sign, slashes)}/${width}`;
      let index = next.get(key) ?? 0;
      while (index < same.length && !closes(same[index], from, width)) index += 1;
      next.set(key, index);
      const run = same[index];
      return run === undefined ? text.length : run.start + Math.floor(run.count / width) * width * unit.length;
    },
  };
}

const isQuote = (sign: string): boolean => sign === "'" || sign === '"' || sign === '`';

const kindOf = (sign: string, slashes: number): string => `${sign}${slashes}`;

const closes = (run: Run | undefined, from: number, width: number): boolean =>
  run !== undefined && run.start >= from && Math.floor(run.count / width) % 2 === 1;

/** JSON writes an empty text as two quotes. SQL's doubled quotes look the same: with them the value goes on. */
function isEmptyText(text: string, at: number, unit: string, count: number): boolean {
  const after = text.charAt(at + unit.length * 2);
  return unit.endsWith('"') && count === 2 && (after === '' || ',}])'.includes(after));
}

function slashesAt(text: string, at: number): number {
  let slashes = 0;
  while (text.charAt(at + slashes) === '\\') slashes += 1;
  return slashes;
}

function unitsAt(text: string, at: number, unit: string): number {
  let count = 0;
  while (text.startsWith(unit, at + count * unit.length)) count += 1;
  return count;
}

function runsOf(text: string): Map<string, Run[]> {
  const runs = new Map<string, Run[]>();
  let slashes = 0;
  let last = { kind: '', sign: '', end: -1, run: { start: 0, count: 0 } };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === '\\') {
      slashes += 1;
      continue;
    }
    if (isQuote(sign)) {
      const kind = kindOf(sign, slashes);
      const start = at - slashes;
      const adjacent = last.end === start && last.sign === sign;
      if (adjacent && last.kind === kind) last.run.count += 1;
      // Right after a quote of the value's own it is that one's twin.
      else if (!adjacent) {
        const run = { start, count: 1 };
        const same = runs.get(kind);
        if (same) same.push(run);
        else runs.set(kind, [run]);
        last = { kind, sign, end: 0, run };
      }
      last.end = at + 1;
    }
    slashes = 0;
  }
  return runs;
}
