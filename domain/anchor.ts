/** A row of the audit's chain, noted where nobody who can write to the control database can write. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
}

const form = /^(\d{1,15}):([0-9a-f]{64})$/;

/** `1204:9f2c…`: how many rows there were, and the hash of the last one. */
export function anchorText({ seq, hash }: Anchor): string {
  return `${seq}:${hash}`;
}

/** What `anchorText` wrote, blanks around it aside; undefined for anything else. */
export function anchorOf(text: string): Anchor | undefined {
  const [, seq = '', hash = ''] = form.exec(text.trim()) ?? [];
  return Number(seq) > 0 ? { seq: Number(seq), hash } : undefined;
}
