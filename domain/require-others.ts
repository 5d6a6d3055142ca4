import { Failure } from './failure.ts';

/**
 * Raises `input-invalid` unless each other database that an input names (by its field) is in the inventory and is not the run's
 * own. `entry` looks one up and throws `not-found`.
 */
export function requireOthers(others: Readonly<Record<string, string>>, database: string, entry: (called: string) => unknown): void {
  const problems = Object.entries(others).flatMap(([path, called]) => {
    const message = called === database ? `is the database itself, ${called}: name the one that it goes to` : missing(called, entry);
    return message === undefined ? [] : [{ path: `input.${path}`, message }];
  });
  if (problems.length === 0) return;
  throw new Failure('input-invalid', problems.map((one) => `${one.path}: ${one.message}`).join('; '), { problems });
}

function missing(called: string, entry: (called: string) => unknown): string | undefined {
  try {
    entry(called);
    return undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === 'not-found') return error.message;
    throw error;
  }
}
