/** A secret in a text: from its first character up to, and without, `to`. */
export interface Place {
  readonly from: number;
  readonly to: number;
}

/** Finds one kind of secrets. It reads each character a bounded number of times, whatever the text is. */
export type Finder = (text: string, how: Reading) => Iterable<Place>;

export interface Reading {
  /** The end of the text was cut off, and with it perhaps what shows that something is a secret. */
  readonly cut: boolean;
}

/** What `\s` matches. */
export function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13);
  return code >= 0xa0 && /\s/.test(text.charAt(at));
}

/**
 * The end of a stretch that contains `from`, as `end` computes it. The end is the same for each position within a stretch, so it is
 * computed once for all of them. Call it with ascending positions.
 */
export function remembered(end: (from: number) => number): (from: number) => number {
  let known = { from: 0, to: 0 };
  return (from) => {
    if (from < known.from || from >= known.to) known = { from, to: end(from) };
    return known.to;
  };
}
