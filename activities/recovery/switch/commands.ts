import type { Command } from '../../../domain/command.ts';
import { pause, resume, takeTransactionId as takeId } from '../../pooling/commands.ts';
import { endEarlier } from '../../replication/commands.ts';
import { endSessions, shut, unshut } from '../../replication/switch/commands.ts';
import type { SwitchOver } from '../contract.ts';
import type { FactsOfSwitch, SwitchingFacts } from './facts.ts';
import { fenceFacts } from './switching.ts';

/** The pure half of a switch-over. What stands in the words of a move from a source to a target, in those of a restore. */

const places = { source: 'live', target: 'restored' } as const;
const told = (commands: readonly Command[]): Command[] =>
  commands.map((one) => ({ ...one, on: one.on === 'source' || one.on === 'target' ? places[one.on] : one.on }));

const as = (roles: readonly string[]): string => `as each of ${roles.join(', ')}`;

export const setRolePassword: Command = {
  on: 'restored',
  kind: 'sql',
  text: `ALTER ROLE :"role" PASSWORD :'verifier'`,
};

/** Tells the copy from the one that it was made from, whatever they are called. */
export const markCopy: Command = { on: 'restored', kind: 'sql', text: 'CREATE SCHEMA IF NOT EXISTS :"tag"' };
/** With what a skipped `hydrate` has left in it, the extension that it had made: everything in there is this run's. */
export const unmarkCopy: Command = { on: 'restored', kind: 'sql', text: 'DROP SCHEMA IF EXISTS :"tag" CASCADE' };

/** It would go on where the publisher's slot stands by now, and what was sent since the moment would be missing. */
export const disableSubscription: Command = { on: 'restored', kind: 'sql', text: 'ALTER SUBSCRIPTION :"subscription" DISABLE' };

export const takeTransactionId: Command = { ...takeId, on: 'restored' };

const factsOf = ({ binding: { switching } }: FactsOfSwitch): SwitchingFacts | null => switching;

export function setPasswords(_switch: unknown, facts: FactsOfSwitch): Command[] {
  const roles = factsOf(facts)?.roles ?? [];
  if (roles.length === 0) return [];
  return [
    { ...setRolePassword, when: `for each of ${roles.join(', ')} that the secret’s password of now does not let in` },
    { ...takeTransactionId, when: `${as(roles)}, rolled back` },
  ];
}

/** The copy first: nobody may write there before it serves. */
export function fence(_switch: unknown, facts: FactsOfSwitch): Command[] {
  const switching = factsOf(facts);
  if (!switching?.copy) return [];
  const { pooler, subscriptions } = switching;
  const planned = fenceFacts(switching);
  return told([
    markCopy,
    ...(subscriptions.length > 0 ? [{ ...disableSubscription, when: `for each of ${subscriptions.join(', ')}` }] : []),
    ...shut('target', planned),
    ...(pooler ? [pause(pooler.alias)] : []),
    ...shut('source', planned),
    endSessions(planned),
  ]);
}

export function liftFence(_switch: unknown, facts: FactsOfSwitch): Command[] {
  const switching = factsOf(facts);
  if (!switching?.copy) return [];
  const { pooler } = switching;
  return told([endEarlier('source'), ...unshut('source', fenceFacts(switching)), ...(pooler ? [resume(pooler.alias)] : [])]);
}

export function verifySwitched(_switch: unknown, _facts: FactsOfSwitch): Command[] {
  return [{ ...takeTransactionId, when: 'rolled back' }];
}

export function letIn(_switch: Partial<SwitchOver>, facts: FactsOfSwitch): Command[] {
  const switching = factsOf(facts);
  if (!switching?.copy) return [];
  const { pooler } = switching;
  return told([...unshut('target', fenceFacts(switching)), ...(pooler ? [resume(pooler.alias)] : []), unmarkCopy]);
}
