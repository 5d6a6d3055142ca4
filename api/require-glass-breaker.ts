import { breakGlassOf } from '../domain/break-glass.ts';
import { Failure } from '../domain/failure.ts';
import { groupsOf, type Inventory } from '../domain/inventory.ts';
import type { TokenKind } from '../domain/token.ts';

/** Throws `forbidden` unless it is a person, by a token of their own, whom the policy lets break the glass. */
export function requireGlassBreaker(inventory: Inventory, database: string, { person, kind }: { person: string; kind: TokenKind }): void {
  const { groups } = breakGlassOf(inventory, database);
  if (kind === 'service') throw new Failure('forbidden', 'a service’s token can not break the glass: a person does', { person });
  if (groupsOf(inventory, database, person).some((group) => groups.includes(group))) return;
  const who = groups.length === 0 ? 'the policy names nobody who may' : `people of these groups may: ${groups.join(', ')}`;
  throw new Failure('forbidden', `${person} may not break the glass of "${database}"; ${who}`, { person, groups });
}
