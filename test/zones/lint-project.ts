import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A rule (`eslint(no-console)` and so on) that a line of a file breaks. */
export interface Finding {
  readonly file: string;
  readonly rule: string;
  readonly line: number;
}

/** A project of its own below the temporary folder with this project's rules and the given files; removed by `remove`. */
export interface LintProject {
  readonly folder: string;
  lint(): Promise<Finding[]>;
  /** What tsc prints about a tsconfig's folder; empty when it is content. */
  check(project: string): Promise<string>;
  remove(): Promise<void>;
}

export async function lintProject(files: Readonly<Record<string, string>>): Promise<LintProject> {
  const folder = await mkdtemp(join(tmpdir(), 'zones-'));
  await mkdir(join(folder, 'workflows'));
  for (const name of ['.oxlintrc.json', 'package.json', 'tsconfig.json', 'workflows/tsconfig.json']) {
    await copyFile(join(root, name), join(folder, name));
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return {
    folder,
    lint: () => lint(folder, Object.keys(files)),
    check: async (project) => (await run(folder, ['node_modules/typescript/bin/tsc', '-p', project])).output,
    remove: () => rm(folder, { recursive: true }),
  };
}

interface Report {
  readonly number_of_files: number;
  readonly diagnostics: readonly {
    readonly filename: string;
    readonly code?: string;
    readonly message: string;
    readonly labels: readonly { readonly span: { readonly line: number } }[];
  }[];
}

async function lint(folder: string, files: readonly string[]): Promise<Finding[]> {
  const { output } = await run(folder, ['node_modules/oxlint/bin/oxlint', '--format=json', ...files]);
  // oxlint's own format; a parse error here fails the test.
  const report = JSON.parse(output) as Report;
  if (report.number_of_files !== files.length)
    throw new Error(`oxlint read ${report.number_of_files} of ${files.length} files:\n${output}`);
  return report.diagnostics.map((one) => ({ file: one.filename, rule: one.code ?? one.message, line: one.labels[0]?.span.line ?? 0 }));
}

function run(folder: string, args: readonly string[]): Promise<{ output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 24 }, (_error, stdout, stderr) => resolve({ output: stdout + stderr }));
  });
}
