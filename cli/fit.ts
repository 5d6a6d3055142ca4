import type { World } from './world.ts';

/**
 * As many lines as fit: head and steps on a line each, cut to the width; everything else, which people must read to the end, is
 * wrapped. The steps that are over give way first, then those to come, and what does not fit is said.
 */
export function fit(lines: readonly string[], size: { columns: number; rows: number }): string[] {
  const room = Math.max(4, size.rows - 1);
  const drawn = lines.flatMap((text, index) => (index === 0 || isStep.test(text) ? [cut(text, size.columns)] : wrap(text, size.columns)));
  if (drawn.length <= room) return drawn;
  const over = matching(drawn, isOver).slice(0, drawn.length - room + 1);
  const missing = drawn.length - over.length + (over.length === 0 ? 0 : 1) - room;
  // The last ones are the farthest away.
  const pending = missing <= 0 ? [] : matching(drawn, isPending).slice(-(missing + 1));
  const dropped = new Set([...over, ...pending]);
  const kept = drawn.flatMap((text, index) => {
    if (index === pending[0]) return [`  … ${pending.length} steps to come`];
    return dropped.has(index) ? [] : [text];
  });
  const note = over.length === 0 ? [] : [`  … ${over.length} steps that are over`];
  const fitting = [...kept.slice(0, 1), ...note, ...kept.slice(1)];
  // The commands that answer a question stand last.
  return fitting.length <= room ? fitting : [...fitting.slice(0, 1), '  …', ...fitting.slice(2 - room)];
}

const matching = (lines: readonly string[], shape: RegExp): number[] =>
  lines.flatMap((text, index) => (index > 0 && shape.test(text) ? [index] : []));

const isStep = /^\S {1,2}\d+ /;
const isOver = /^[✓»-] {1,2}\d+ /;
const isPending = /^· {1,2}\d+ /;

function cut(text: string, columns: number): string {
  const all = [...text];
  return all.length < columns ? text : `${all.slice(0, Math.max(1, columns - 2)).join('')}…`;
}

/** At spaces, the further lines two deeper than the first; a word that is too long for a line is cut into several. */
export function wrap(text: string, columns: number): string[] {
  const width = Math.max(20, columns - 1);
  const indent = `${/^ */.exec(text)?.[0] ?? ''}  `.slice(0, 12);
  const lines: string[] = [];
  let rest = [...text];
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > indent.length + 4 ? space : width;
    lines.push(rest.slice(0, end).join(''));
    rest = [...indent, ...rest.slice(rest[end] === ' ' ? end + 1 : end)];
  }
  return [...lines, rest.join('')];
}

/** For a terminal each line that is too long takes several; elsewhere lines stay whole. */
export function wrapped({ tty, size }: Pick<World, 'tty' | 'size'>, lines: readonly string[]): string[] {
  const { columns } = size();
  return tty ? lines.flatMap((text) => wrap(text, columns)) : [...lines];
}
