import type { World } from './world.ts';

const gap = 2;
const indent = 4;

/**
 * Rows of cells as lines, each column as wide as its widest cell, two spaces between. On a terminal that is too narrow each row takes
 * several lines, the further ones indented, with the same columns in the same line for all of them; elsewhere a row is a line.
 */
export function columns({ tty, size }: Pick<World, 'tty' | 'size'>, rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  const parts = broken(widths, tty ? size().columns : Number.POSITIVE_INFINITY);
  return rows.flatMap((row) =>
    parts.flatMap((part, index) => {
      const cells = part.map((column) => (row[column] ?? '').padEnd(widths[column] ?? 0));
      const line = `${' '.repeat(index === 0 ? 0 : indent)}${cells.join(' '.repeat(gap))}`.trimEnd();
      return index > 0 && line === '' ? [] : [line];
    }),
  );
}

/** The columns that stand in the same line, in order; one that is too wide for any line has one to itself. */
function broken(widths: readonly number[], room: number): number[][] {
  const parts: number[][] = [[]];
  let used = 0;
  for (const [column, width] of widths.entries()) {
    const part = parts.at(-1) ?? [];
    const needed = part.length === 0 ? used + width : used + gap + width;
    if (part.length > 0 && needed > room) {
      parts.push([column]);
      used = indent + width;
    } else {
      part.push(column);
      used = needed;
    }
  }
  return parts;
}
