import { qualified, type Command } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { NoReturn } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import { ensure, type Observation } from '../engine/ensure.ts';
import { applyTriggers } from '../postgres/apply-triggers.ts';
import type { Session } from '../postgres/session.ts';
import { endEarlierSessions } from './end-earlier.ts';
import { applyTriggerKey, type ApplyTrigger } from './facts.ts';
import { changing, inTransaction, looking, type Sides } from './side.ts';
import { disableTriggers, enableTriggers, heldTriggers } from './trigger-commands.ts';

/**
 * Disables on the target what would fire for each change that replication applies: such a trigger has fired on the source already,
 * and what it wrote there is replicated, so its rows would come twice. Repeats safely. Raises `drift` when the target has one that the
 * plan does not know. The switch enables them again before clients write.
 */
export async function holdTriggers(sides: Sides, attempt: Attempt): Promise<{ triggers: number }> {
  await endEarlierSessions(sides, attempt, ['target']);
  const held = heldTriggers(sides.migration, sides.facts);
  await ensure<void>(attempt, {
    observe: async () => observation(sides, held, await looking(sides, 'target', applyTriggers)),
    act: async () => {
      await changing(sides, 'target', attempt, async (session) => {
        await inTransaction(session, async () => {
          for (const command of disableTriggers(held)) await session.run(command);
        });
      });
    },
  });
  return { triggers: held.length };
}

function observation({ migration, facts }: Sides, held: readonly ApplyTrigger[], seen: readonly ApplyTrigger[]): Observation<void> {
  const planned = new Set(held.map(applyTriggerKey));
  const more = seen.filter((one) => !planned.has(applyTriggerKey(one)));
  if (more.length > 0) {
    return { state: 'drifted', what: `${migration.target} has triggers that the plan does not know: ${more.map(triggerText).join(', ')}` };
  }
  if (seen.length === 0) return { state: 'there', result: undefined };
  // By this the facts find again what the target had before.
  return { state: 'absent', before: { triggers: facts.binding.target.applyTriggers } };
}

/** The undo: each is enabled again in its old mode. Right when it never happened, and twice. */
export async function releaseTriggers(sides: Sides, noReturn: NoReturn, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  if ((await noReturn.read(attempt.run))?.side === 'forward') {
    throw new Failure('conflict', `${sides.migration.target} is the database in charge since the switch, which enables its triggers`);
  }
  await attempt.intend({});
  await endEarlierSessions(sides, attempt, ['target']);
  const commands = await looking(sides, 'target', async (session) => await commandsToEnable(session, sides));
  await changing(sides, 'target', attempt, async (session) => {
    await inTransaction(session, async () => {
      for (const command of commands) await session.run(command);
    });
  });
  await attempt.settle('undone');
}

/**
 * For the triggers that are not enabled yet: an event trigger that is would fire for what is done to the others. `look` is a session
 * of the target that changes nothing.
 */
export async function commandsToEnable(look: Session, { migration, facts }: Pick<Sides, 'migration' | 'facts'>): Promise<Command[]> {
  const held = heldTriggers(migration, facts);
  if (held.length === 0) return [];
  const enabled = new Set((await applyTriggers(look)).map(applyTriggerKey));
  return enableTriggers(held.filter((one) => !enabled.has(applyTriggerKey(one))));
}

/** `trigger stamp of "public"."orders"`, as a finding names it. */
export function triggerText({ table, name, mode }: ApplyTrigger): string {
  const enabled = mode === 'A' ? 'ENABLE ALWAYS' : 'ENABLE REPLICA';
  return table ? `${name} of ${qualified(table)} (${enabled})` : `the event trigger ${name} (${enabled})`;
}
