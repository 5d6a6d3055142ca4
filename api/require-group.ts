import { Failure } from '../domain/failure.ts';
import { groupsOf, policyOf, type Inventory } from '../domain/inventory.ts';

/** Throws `forbidden`, naming the groups that may, when the person is in none of them now. */
export function requireGroup(
  inventory: Inventory,
  database: string,
  person: string,
  right: 'requesters' | 'operators',
  what: string,
): void {
  const allowed = policyOf(inventory, database)[right];
  if (groupsOf(inventory, database, person).some((group) => allowed.includes(group))) return;
  throw new Failure('forbidden', `${person} may not ${what}; people of these groups may: ${allowed.join(', ')}`, {
    person,
    groups: allowed,
  });
}
