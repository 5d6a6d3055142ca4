import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { Failure } from '../domain/failure.ts';
import { encodesFailures } from '../temporal/encoded-failures.ts';

/** The workflows as one file, as Temporal's sandbox runs them: about 2 s and 1.7 MB. An image builds it ahead. */
export async function bundleWorkflows(index = fileURLToPath(new URL('../workflows/index.ts', import.meta.url))): Promise<WorkflowBundle> {
  return await bundleWorkflowCode({
    workflowsPath: index,
    failureConverterPath: fileURLToPath(new URL('../temporal/workflow-failures.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

/**
 * The bundle for a worker: from the file that was built ahead, or built now. With `encodes` the workflows' failures go through the
 * payload codec. Throws `configuration-invalid` for a bundle that is not there, or can not do that: its messages would be readable.
 */
export async function workflowBundle(file: string | undefined, { encodes }: { readonly encodes: boolean }): Promise<WorkflowBundle> {
  const { code } = file === undefined ? await bundleWorkflows() : { code: await read(file) };
  if (!encodes) return { code };
  if (!code.includes(encodesFailures)) {
    throw new Failure(
      'configuration-invalid',
      `the bundle ${file} is older than this program and can not encrypt failures; build it again`,
    );
  }
  return { code: `globalThis.${encodesFailures} = true;${code}` };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Failure('configuration-invalid', `the workflow bundle ${file} can not be read`, { file }, error);
  }
}
