/**
 * As many lines as fit: head and steps on a line each, cut to the width; everything else, which people must read to the end, is
 * wrapped. The steps that are over give way first, and what does not fit is said.
 */
export function fit(lines: readonly string[], size: { columns: number; rows: number }): string[] {
  const room = Math.max(4, size.rows - 1);
  const drawn = lines.flatMap((text, index) => (index === 0 || isStep.test(text) ? [cut(text, size.columns)] : wrap(text, size.columns)));
  if (drawn.length <= room) return drawn;
  const over = drawn.flatMap((text, index) => (index > 0 && isOver.test(text) ? [index] : []));
  const dropped = new Set(over.slice(0, drawn.length - room + 1));
  const kept = drawn.filter((_, index) => !dropped.has(index));
  const note = dropped.size === 0 ? [] : [`  … ${dropped.size} steps that are over`];
  return [...kept.slice(0, 1), ...note, ...kept.slice(1)].slice(0, room);
}

const isStep = /^\S {1,2}\d+ /;
const isOver = /^[✓»-] {1,2}\d+ /;

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
