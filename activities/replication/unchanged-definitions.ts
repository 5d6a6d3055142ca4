import { Failure } from '../../domain/failure.ts';
import { definitionsDigest } from '../postgres/definitions.ts';
import type { Session } from '../postgres/session.ts';
import type { MigrationFacts } from './facts.ts';

/**
 * What takes the place of a freeze where Steadyhand is no superuser: raises `objects-differ` when the source's objects are not what
 * they were when the plan was made, or later when they were published. `source` is a session for looking; its `search_path` is set.
 */
export async function refuseChangedDefinitions(source: Session, database: string, facts: MigrationFacts): Promise<void> {
  const { definitions, version } = facts.binding.source;
  if (definitions === null || (await definitionsDigest(source, version)) === definitions) return;
  throw new Failure(
    'objects-differ',
    `somebody changed the schema of ${database} since it was copied and published; nothing froze it, because Steadyhand's role there is no superuser. ` +
      'Roll back and ask again, or take the change back',
    { database },
  );
}
