import type { World } from './world.ts';

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * As many lines as fit: head and steps on a line each, cut to the width; everything else, which people must read to the end, is
 * wrapped. The steps that are over give way first, then those to come, then the plan's notes, and what does not fit is said.
 */
export function fit(lines: readonly string[], { columns, rows }: Size): string[] {
  const room = Math.max(4, rows - 1);
  const drawn = drawnIn(lines, columns);
  if (drawn.length <= room) return drawn;
  const brief = withFewerSteps(drawn, room);
  if (brief.length <= room) return brief;
  const short = withFewerSteps(drawnIn(withoutNotes(lines), columns), room);
  if (short.length <= room) return short;
  // What is asked, and the commands that answer it, which stand last.
  const [head = '', ...rest] = short.filter((text) => text !== '');
  const asked = rest.filter((text) => isQuestion.test(text) && !isStep.test(text)).slice(0, 1);
  const last = rest.slice(2 + asked.length - room);
  return rest.length < room ? [head, ...rest] : [head, ...asked.filter((text) => !last.includes(text)), '  …', ...last];
}

function drawnIn(lines: readonly string[], columns: number): string[] {
  return lines.flatMap((text, index) => (index === 0 || isStep.test(text) ? [cut(text, columns)] : wrap(text, columns)));
}

function withFewerSteps(drawn: readonly string[], room: number): string[] {
  const over = matching(drawn, isOver).slice(0, drawn.length - room + 1);
  const missing = drawn.length - over.length + (over.length === 0 ? 0 : 1) - room;
  // The last ones are the farthest away.
  const pending = missing <= 0 ? [] : matching(drawn, isPending).slice(-(missing + 1));
  const dropped = new Set([...over, ...pending]);
  const kept = drawn.flatMap((text, index) => {
    if (index === pending[0]) return [`  … ${pending.length} steps to come`];
    return dropped.has(index) ? [] : [text];
  });
  const note = over.length === 0 ? [] : [`  … ${over.length} steps over or not needed`];
  return [...kept.slice(0, 1), ...note, ...kept.slice(1)];
}

/** They stand in the plan, too. */
function withoutNotes(lines: readonly string[]): string[] {
  const notes = matching(lines, isNote);
  return lines.flatMap((text, index) => {
    if (index === notes[0]) return [`  note     ${notes.length} ${notes.length === 1 ? 'note' : 'notes'} of the plan`];
    return notes.includes(index) ? [] : [text];
  });
}

const matching = (lines: readonly string[], shape: RegExp): number[] =>
  lines.flatMap((text, index) => (index > 0 && shape.test(text) ? [index] : []));

const isStep = /^\S {1,2}\d+ /;
const isOver = /^[✓»-] {1,2}\d+ /;
const isPending = /^· {1,2}\d+ /;
const isNote = /^ {2}note /;
const isQuestion = /^[?!] /;

function cut(text: string, columns: number): string {
  const all = [...text];
  return all.length < columns ? text : `${all.slice(0, Math.max(1, columns - 2)).join('')}…`;
}

/** A step's title, or a word that names what comes after it. */
const label = /^(?:\S {1,2}\d+ \S.*? {2,}| *(?:holds up |do: |\S+ {2,}))/;
/** A text needs as much beside its label. */
const leastRoom = 25;

/** At spaces, the further lines below the text after the label; a word that is too long for a line is cut into several. */
export function wrap(text: string, columns: number): string[] {
  const width = Math.max(20, columns - 1);
  const indent = indentOf(text, width);
  const lines: string[] = [];
  let rest = [...text];
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > indent.length + 4 ? space : width;
    lines.push(rest.slice(0, end).join('').trimEnd());
    rest = [...indent, ...rest.slice(rest[end] === ' ' ? end + 1 : end)];
  }
  return [...lines, rest.join('')];
}

function indentOf(text: string, width: number): string {
  const named = label.exec(text)?.[0].length ?? 0;
  if (named > 0 && width - named >= leastRoom) return ' '.repeat(named);
  return `${/^ */.exec(text)?.[0] ?? ''}  `.slice(0, 12);
}

/** For a terminal each line that is too long takes several; elsewhere lines stay whole. */
export function wrapped({ tty, size }: Pick<World, 'tty' | 'size'>, lines: readonly string[]): string[] {
  const { columns } = size();
  return tty ? lines.flatMap((text) => wrap(text, columns)) : [...lines];
}
