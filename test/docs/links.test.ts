import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { pages, prose, read } from './pages.ts';

const root = new URL('../../', import.meta.url);
const withoutCode = (text: string): string => prose(text).replaceAll(/`[^`\n]*`/g, '');

/** As GitHub makes them: `## 3. Environment` → `3-environment`. */
function anchorsOf(page: string): string[] {
  const headings = prose(read(page)).matchAll(/^#+ (.+)$/gm);
  return [...headings].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function relativeLinks(page: string): string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

function broken(page: string): string[] {
  return relativeLinks(page).filter((link) => {
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? page : posix.join(posix.dirname(page), path);
    if (!existsSync(new URL(file, root))) return true;
    return anchor !== undefined && !anchorsOf(file).includes(anchor);
  });
}

test('the pages link to each other', () => {
  expect(pages().flatMap(relativeLinks).length).toBeGreaterThan(20);
});

test.each(pages())('every link of %s leads to a file and a heading that are there', (page) => {
  expect(broken(page)).toEqual([]);
});

test('every page of docs/ can be reached from the README', () => {
  const linked = relativeLinks('README.md').map((link) => link.split('#')[0]);
  expect(pages().filter((page) => page !== 'README.md' && !linked.includes(page))).toEqual([]);
});
