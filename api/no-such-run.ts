import { Failure } from '../domain/failure.ts';

/** `id`: as it was asked for. */
export function noSuchRun(id: string): Failure {
  return new Failure('not-found', `there is no run ${id}`, { run: id });
}
