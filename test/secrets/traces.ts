import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A text as it may stand somewhere: as it is, in base64 (at each of the three places in a group of three bytes that it may begin at),
 * hex, URL-encoded, and escaped for JSON.
 */
export function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((before) => {
    const coded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64url')
      .replaceAll('=', '');
    // The first and the last digits depend on what stands around it.
    return coded.slice(before === 0 ? 0 : before + 1, -2);
  });
  const hex = bytes.toString('hex');
  const classic = base64.map((one) => one.replaceAll('-', '+').replaceAll('_', '/'));
  return [...new Set([text, ...base64, ...classic, hex, hex.toUpperCase(), encodeURIComponent(text), JSON.stringify(text).slice(1, -1)])];
}

/** Which of the texts stand in the bytes, in any of their forms. */
export function found(texts: Readonly<Record<string, string>>, bytes: Buffer): string[] {
  return Object.entries(texts)
    .filter(([, text]) => formsOf(text).some((form) => bytes.includes(form)))
    .map(([name]) => name);
}

/** The files below a folder, or a file itself, that hold any of the texts: `<name>: <file>` each. */
export async function foundBelow(
  texts: Readonly<Record<string, string>>,
  folder: string,
  passOver: (file: string) => boolean = () => false,
): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const hits: string[] = [];
  for (const file of files.filter((one) => !passOver(one))) {
    // Servers remove files while we read.
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    hits.push(...found(texts, bytes).map((name) => `${name}: ${file}`));
  }
  return hits;
}
