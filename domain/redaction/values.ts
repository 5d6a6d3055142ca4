import { isBlank, remembered } from './place.ts';
import { quotesOf } from './quotes.ts';

/** Finds where values end, as connection strings, settings, JSON, JavaScript and SQL write them. Call each with ascending positions. */
export interface Values {
  /** In quotes or dollar quotes; undefined when neither begins at `at`. */
  quotedEnd(at: number): number | undefined;
  /** In quotes, dollar quotes, or up to a blank. */
  endOf(at: number): number;
  /** Up to what ends a parameter of a URL. */
  parameterEnd(at: number): number;
  /** Up to the next tag of XML. */
  elementEnd(at: number): number;
}

/** PostgreSQL's E'' and U&'' literals. */
const prefix = /(?:e|u&)?(?=\\*')/iy;

export function valuesOf(text: string): Values {
  const quotes = quotesOf(text);
  const dollarEnd = dollarQuotesOf(text);
  const wordEnd = remembered((from) => endOfWord(text, from));
  const quotedEnd = (at: number): number | undefined => {
    prefix.lastIndex = at;
    const from = prefix.test(text) ? prefix.lastIndex : at;
    return quotes.endOf(from) ?? dollarEnd(at);
  };
  return {
    quotedEnd,
    endOf: (at) => quotedEnd(at) ?? wordEnd(at),
    parameterEnd: remembered((from) => endBefore(text, from, (at) => isBlank(text, at) || '&\'"<>'.includes(text.charAt(at)))),
    elementEnd: remembered((from) => endBefore(text, from, (at) => text.charAt(at) === '<')),
  };
}

function endBefore(text: string, from: number, stops: (at: number) => boolean): number {
  let at = from;
  while (at < text.length && !stops(at)) at += 1;
  return at;
}

/**
 * Up to a blank without a backslash, but not what closes a quote or a bracket around the whole. A password may have commas and
 * quotes of its own, so those end it only where a blank follows.
 */
function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isBlank(text, at)) {
    const escape = text.charAt(at) === '\\';
    while (text.charAt(at) === '\\') at += 1;
    if (!escape || at < text.length) at += 1;
  }
  return trimmed(text, from, at);
}

function trimmed(text: string, from: number, to: number): number {
  let end = to;
  while (end > from) {
    const sign = text.charAt(end - 1);
    if ('])}>;,'.includes(sign)) end -= 1;
    else if ('"\'`'.includes(sign)) {
      end -= 1;
      while (end > from && text.charAt(end - 1) === '\\') end -= 1;
    } else break;
  }
  return end;
}

/** Where `$tag$…$tag$` that opens at a position ends; a value that is never closed ends with the text. */
function dollarQuotesOf(text: string): (at: number) => number | undefined {
  const opening = /\$(?:[a-z_\u0080-\uffff]\w*)?\$/iy;
  let tags: Map<string, number[]> | undefined;
  const next = new Map<string, number>();
  return (at) => {
    if (text.charAt(at) !== '$') return undefined;
    opening.lastIndex = at;
    const tag = opening.exec(text)?.[0];
    if (tag === undefined) return undefined;
    tags ??= tagsOf(text);
    const same = tags.get(tag) ?? [];
    let index = next.get(tag) ?? 0;
    while ((same[index] ?? text.length) < at + tag.length) index += 1;
    next.set(tag, index);
    const closing = same[index];
    return closing === undefined ? text.length : closing + tag.length;
  };
}

/** Each `$tag$`, also where it shares a dollar with the one before it. */
function tagsOf(text: string): Map<string, number[]> {
  const tags = new Map<string, number[]>();
  const dollars = [...text.matchAll(/\$/g)].map(({ index }) => index);
  for (const [index, at] of dollars.entries()) {
    const end = dollars[index + 1];
    if (end === undefined) break;
    const tag = text.slice(at, end + 1);
    const same = tags.get(tag);
    if (same) same.push(at);
    else tags.set(tag, [at]);
  }
  return tags;
}
