import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** A file of the project by its path from the root. */
export function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** README.md and every page of docs/. */
export function pages(): string[] {
  const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)];
}

/** The rows of the table whose head begins with these cells, each as its cells. Throws when the page has no such table. */
export function tableOf(page: string, ...head: string[]): string[][] {
  const lines = read(page).split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${head.join(' | ')} |`));
  if (at < 0) throw new Error(`${page} has no table ${head.join(', ')}`);
  const rows = lines.slice(at + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? rows.length : end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The text without its blocks of code. */
export function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '');
}

/** What stands between backticks, outside of blocks of code. */
export function coded(text: string): string[] {
  return [...prose(text).matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}
