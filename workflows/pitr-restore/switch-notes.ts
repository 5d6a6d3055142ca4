import type { lostText as told } from '../../activities/recovery/switch/count-lost.ts';
import type { RestoreFacts } from '../../activities/recovery/take-restore-facts.ts';

/** What an approver of a switch-over should read. */

export const oldNote = 'It is kept, shut to clients, until the runbook remove-old removes it.';

export function passwordNotes({ binding, observed }: RestoreFacts): string[] {
  const roles = binding.switching?.roles ?? [];
  const without = observed.switching?.withoutSecret ?? [];
  return [
    ...(roles.length === 0 ? ['The inventory names no role of the application with a secret: none is set, and none is tried.'] : []),
    ...(without.length === 0
      ? []
      : [`The password of the moment stays with ${without.join(', ')}: the inventory has no secret of theirs.`]),
  ];
}

export function whatIsLost(
  { observed: { switching, snapshot } }: RestoreFacts,
  { lostText }: { readonly lostText: typeof told },
): string[] {
  if (!switching) return [];
  const { since } = switching.toBeLost;
  if (since === null)
    return [`WHAT IS LOST: all that was written since the snapshot was taken${snapshot?.takenAt ? `, ${snapshot.takenAt}` : ''}.`];
  return [`WHAT IS LOST: all that was written since ${since}; so far that is ${lostText(switching.toBeLost)}.`];
}

/** Of the instance's other databases, none but `postgres` is let be. */
export function otherDatabaseNotes({ observed }: RestoreFacts): string[] {
  const others = observed.switching?.notLookedInto ?? [];
  if (others.length === 0) return [];
  return [`Nobody could look into ${others.join(' and ')}. Should anything be in there, it goes back to the moment, too, uncounted.`];
}

/** What the old instance has and the copy has not: nobody has to find that out after the switchover. */
export function notCarriedNotes({ binding }: RestoreFacts): string[] {
  return (binding.swap?.notCarried ?? []).map(
    ({ setting, planned, found }) => `NOT CARRIED OVER: ${setting} is ${text(planned)} now, and ${text(found)} on the copy.`,
  );
}

const text = (value: unknown): string => (value === null ? 'none' : JSON.stringify(value));

/** What replicates changes to and from the database in use does not come along by itself. */
export function replicationNotes({ binding, observed }: RestoreFacts): string[] {
  const subscriptions = binding.switching?.subscriptions ?? [];
  const slots = observed.switching?.slots ?? [];
  return [
    ...(subscriptions.length === 0
      ? []
      : [
          `Subscriptions are disabled on the copy, as they would leave out what came since the moment: set up anew ${subscriptions.join(', ')}.`,
        ]),
    ...(slots.length === 0
      ? []
      : [`Logical replication slots are not on the copy; whoever reads from them is to be set up anew: ${slots.join(', ')}.`]),
  ];
}

export function heldNote({ binding }: RestoreFacts): string {
  const held = 'From here until clients are let in nobody can write: as long as the provider takes for two new names and a restart.';
  return binding.switching?.pooler ? `${held} The pooler holds the clients for as long as it is set to, then they get errors.` : held;
}
