import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';

const askWithinMs = 1_000;

/**
 * Whether a newer attempt is at work. When nobody can tell in time it is not: the newer one could not have begun, nor decide,
 * without the control database, and it looks whether traffic is still held before it does.
 */
export async function isSuperseded(attempt: Attempt): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const noAnswer = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), askWithinMs);
  });
  const asked = attempt.current().then(
    () => false,
    (refusal: unknown) => refusal instanceof Failure && refusal.code === 'superseded',
  );
  try {
    return await Promise.race([asked, noAnswer]);
  } finally {
    clearTimeout(timer);
  }
}

export function superseded(attempt: Attempt, cause: unknown): Failure {
  return new Failure('superseded', `${attempt.step}: a newer attempt is at work; this one left traffic alone`, {}, cause);
}
