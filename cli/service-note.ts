import { Failure } from '../domain/failure.ts';
import type { ApiClient } from './client.ts';
import { line } from './plain.ts';

/** What a person who waits for a run should know of the service: no worker is there, or why it is not ready. Never throws a `Failure`. */
export async function serviceNotes(client: ApiClient): Promise<string[]> {
  const { readinessSchema } = await import('../api/answers.ts');
  try {
    const { degraded } = await client.get('/readyz', readinessSchema);
    return degraded.map(({ because }) => line(because));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // An API that does not answer at all is reported where the run was asked for.
    return error.code === 'unreachable' ? [] : [line(error.message)];
  }
}
