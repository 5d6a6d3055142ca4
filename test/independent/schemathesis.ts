import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from './run.ts';

const version = '4.32.5';

/** What is held against the document: a refusal must be one that it names for the route, and so must its form. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'ignored_auth',
];

export interface Pass {
  readonly name: string;
  readonly api: string;
  readonly token: string;
  readonly seconds: number;
  /** Of the paths that are tried, or left out. */
  readonly paths: { readonly only: string } | { readonly without: string };
  /** schemathesis.toml: values of what is there. */
  readonly settings: string;
}

export interface PassResult {
  readonly code: number;
  readonly operations: number;
  /** Requests whose answers were checked. */
  readonly sent: number;
  readonly failures: number;
}

const report = z.object({
  operations: z.object({ tested: z.int() }),
  test_cases: z.object({ generated: z.int(), without_checks: z.int(), unique_failures: z.int(), errored: z.int() }),
});

/** The program, in an environment of its own in the cache; made once. */
export async function installSchemathesis(cache: string): Promise<string> {
  const folder = join(cache, `schemathesis-${version}`);
  const program = join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  await mkdir(cache, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  // A Python environment has its own path in its scripts, so it is made where it stays.
  const made = await run('python3', ['-m', 'venv', folder], { cwd: cache });
  const pip = made === 0 ? await run(join(folder, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${version}`], { cwd: cache }) : made;
  if (pip === 0) return program;
  await rm(folder, { recursive: true, force: true });
  throw new Error('schemathesis could not be installed: Python 3.10 or newer with its venv module, and PyPI, are needed');
}

/** Prints what schemathesis says. Throws when it left no report: then it did not get as far as asking. */
export async function runPass(program: string, pass: Pass, folder: string, signal: AbortSignal): Promise<PassResult> {
  const settings = join(folder, 'schemathesis.toml');
  const reportFile = join(folder, 'report.json');
  await writeFile(settings, pass.settings);
  await rm(reportFile, { force: true });
  const paths = 'only' in pass.paths ? ['--include-path-regex', pass.paths.only] : ['--exclude-path-regex', pass.paths.without];
  const args = [
    ...['--config-file', settings, 'run', new URL('/openapi.json', pass.api).href, '--header', `Authorization: Bearer ${pass.token}`],
    ...['--max-time', String(pass.seconds), '--checks', checks.join(','), '--continue-on-failure', ...paths],
    ...['--suppress-health-check', 'all', '--warnings', 'off', '--no-color', '--generation-database', 'none'],
    ...['--report', 'json', '--report-json-path', reportFile],
  ];
  const code = await run(program, args, { cwd: folder, signal });
  const { operations, test_cases: cases } = report.parse(JSON.parse(await readFile(reportFile, 'utf8')));
  return {
    code,
    operations: operations.tested,
    sent: cases.generated - cases.without_checks,
    failures: cases.unique_failures + cases.errored,
  };
}
