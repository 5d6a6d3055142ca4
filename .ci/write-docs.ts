// `npm run docs` writes the pages that are generated from code; with `--check` it changes nothing and ends with 1 when a page is
// not what the code says.
import { readFileSync, writeFileSync } from 'node:fs';
import { failureKinds, type FailureKind } from '../domain/failure-kinds.ts';
import { clientText } from './client.ts';
import { openapiText } from './openapi.ts';
import { providersPage } from './providers-page.ts';

interface Page {
  readonly file: string;
  readonly text: string;
}

const openapi = await openapiText();
const pages: readonly Page[] = [
  { file: 'docs/errors.md', text: errorsPage(failureKinds) },
  { file: 'docs/openapi.json', text: openapi },
  { file: 'client/steadyhand.ts', text: await clientText(openapi) },
  { file: 'docs/providers.md', text: providersPage(readPage('docs/providers.md') ?? '') },
];

const outdated = pages.filter((page) => readPage(page.file) !== page.text);
if (process.argv.includes('--check')) {
  for (const page of outdated) console.log(`${page.file} is not what the code says; npm run docs writes it.`);
  process.exitCode = outdated.length > 0 ? 1 : 0;
} else {
  for (const page of outdated) {
    writeFileSync(addressOf(page.file), page.text);
    console.log(`wrote ${page.file}`);
  }
}

function errorsPage(kinds: Readonly<Record<string, FailureKind>>): string {
  const rows = Object.entries(kinds).map(
    ([code, kind]) => `| \`${code}\` | ${kind.status} | ${kind.retryable ? 'yes' : 'no'} | ${cell(kind.meaning)} | ${cell(kind.hint)} |`,
  );
  return `${[
    '# Errors',
    '',
    'Everything that Steadyhand reports as having gone wrong has one of these codes: in the command line, in the console, as `code`',
    'of the HTTP answers (`application/problem+json`), and as the type of a failure in Temporal. *Retried* says whether Steadyhand',
    'tries again by itself. This page is generated from `domain/failure-kinds.ts` by `npm run docs`.',
    '',
    '| code | HTTP status | retried | what it means | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function readPage(file: string): string | undefined {
  try {
    return readFileSync(addressOf(file), 'utf8');
  } catch {
    return undefined;
  }
}

function addressOf(file: string): URL {
  return new URL(`../${file}`, import.meta.url);
}
