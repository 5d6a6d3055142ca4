/** What an answer is written from: fields in AWS's order, undefined ones left out, lists by `list`. */
export type Xml = string | number | boolean | Date | List | Fields | undefined;

interface Fields {
  readonly [name: string]: Xml;
}

class List {
  readonly member: string;
  readonly items: readonly Xml[];

  constructor(member: string, items: readonly Xml[]) {
    this.member = member;
    this.items = items;
  }
}

/** A list, each item in an element called `member`. */
export function list(member: string, items: readonly Xml[]): Xml {
  return new List(member, items);
}

/** One element with all that is in it; nothing for undefined. */
export function element(name: string, value: Xml, attributes = ''): string {
  return value === undefined ? '' : `<${name}${attributes}>${content(value)}</${name}>`;
}

function content(value: Exclude<Xml, undefined>): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof List) return value.items.map((item) => element(value.member, item)).join('');
  if (typeof value !== 'object') return escaped(String(value));
  return Object.entries(value)
    .map(([name, inner]) => element(name, inner))
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\r', '&#13;');
}
