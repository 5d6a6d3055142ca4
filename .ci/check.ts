// `npm run check`: everything that can be said without running the product, side by side. Prints a line for each part, then the
// output of those that failed; ends with 1 when one did.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Result {
  readonly ok: boolean;
  readonly output: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));

const parts: Readonly<Record<string, readonly string[]>> = {
  format: ['node_modules/oxfmt/bin/oxfmt', '--check'],
  // Lint rules need the types anyway: one pass reports both.
  'lint and types': ['node_modules/oxlint/bin/oxlint', '--type-check'],
  // With no Node.js types: a workflow, and what it imports from other folders, has to be deterministic.
  'types of workflows': ['node_modules/typescript/bin/tsc', '-p', 'workflows'],
  'unused code': ['node_modules/knip/bin/knip.js', '--no-progress'],
  'generated pages': ['.ci/write-docs.ts', '--check'],
};

const results = await Promise.all(Object.entries(parts).map(async ([name, args]) => ({ name, ...(await timed(name, args)) })));
const failed = results.filter((one) => !one.ok);
for (const { name, output } of failed) console.log(`\n--- ${name}\n${output.trim()}`);
console.log(failed.length === 0 ? '\nAll checks passed.' : `\n${failed.length} of ${results.length} checks failed.`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function timed(name: string, args: readonly string[]): Promise<Result> {
  const start = performance.now();
  const result = await run(args);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${name.padEnd(20)} ${seconds} s`);
  return result;
}

function run(args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}
