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
