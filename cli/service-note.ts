import { Failure } from '../domain/failure.ts';
import type { ApiClient } from './client.ts';
import { line } from './plain.ts';

/** What whoever waits for a run should know of the service: such as that no worker is there. Never throws a `Failure`. */
export async function serviceNotes(client: ApiClient): Promise<string[]> {
  const { readinessSchema } = await import('../api/answers.ts');
  try {
    const { degraded } = await client.get('/readyz', readinessSchema);
    return degraded.map(({ because }) => line(because));
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
