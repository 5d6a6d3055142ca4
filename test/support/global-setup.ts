import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    temporalAddress: string;
    /** The folder with its database files. */
    temporalFolder: string;
    /** The workflows of the product and the tests' own stories, as one bundle. */
    workflowBundle: string;
  }
}

/** One Temporal server and one workflow bundle for all tests. Several servers started at once would race for their ports. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-tests-'));
  // The postgres user must pass through.
  await chmod(directory, 0o755);
  const endings: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const end = async (): Promise<void> => {
    for (const ending of endings.reverse()) await ending();
  };
  try {
    const temporal = await startTemporal({
      configuration: sandboxConfiguration(),
      directory: join(directory, 'temporal'),
      logFile: join(directory, 'temporal.log'),
      pidFile: join(directory, 'temporal.json'),
      log: (line) => console.log(line),
    });
    endings.push(() => temporal.stop());
    const bundle = await bundleWorkflows(fileURLToPath(new URL('./stories.ts', import.meta.url)));
    const bundleFile = join(directory, 'workflows.js');
    await writeFile(bundleFile, bundle.code);
    project.provide('temporalAddress', temporal.address);
    project.provide('temporalFolder', join(directory, 'temporal'));
    project.provide('workflowBundle', bundleFile);
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}
