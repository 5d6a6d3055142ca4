/** Text from elsewhere for a terminal: control characters, which could move the cursor or hide something, are made visible. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, (character) =>
    character === '\n' || character === '\t' ? character : '\uFFFD',
  );
}

/** The same on one line. */
export function line(text: string): string {
  return plain(text).replaceAll(/\s+/g, ' ').trim();
}

/** The first line of a text that may have several, for a table. */
export function firstLine(text: string): string {
  return line(text.trim().split('\n')[0] ?? '');
}

/** A text that may have several lines, all but the first one indented. */
export function block(text: string, indent: string): string[] {
  return plain(text.trim())
    .split('\n')
    .map((one, index) => `${index === 0 ? '' : indent}${one.trimEnd()}`);
}

/** At most so many characters; the rest is said to be missing. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()}… (${text.length - most} more characters)`;
}
