import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Attempt } from '../../attempt.ts';
import type { Address } from '../../pooling/alias-text.ts';
import { reload, resume } from '../../pooling/commands.ts';
import { readAlias, writeAlias } from '../../pooling/config-file.ts';
import type { Console } from '../../pooling/pgbouncer.ts';
import type { Migration } from '../contract.ts';
import type { MigrationFacts } from '../facts.ts';
import { commandsToEnable } from '../hold-triggers.ts';
import type { Budget } from './budget.ts';
import { openSide } from './fence.ts';
import type { Lines } from './lines.ts';

const eachTimeoutMs = 3_000;
const tryAgainMs = 200;
const giveUpAfterMs = 20_000;

export interface Forward {
  readonly migration: Migration;
  readonly facts: MigrationFacts;
  readonly pooler: PoolerEntry | undefined;
  readonly attempt: Attempt;
  readonly budget: Pick<Budget, 'measured'>;
  readonly lines: Lines;
}

/**
 * After "no return": the new side is opened and traffic goes there. Each part repeats safely and is repeated until it works;
 * after 20 s `pooler-failed` is thrown and the next attempt goes on. The source stays fenced.
 */
export async function goForward(forward: Forward): Promise<void> {
  const { facts, pooler, budget } = forward;
  await untilDone(forward, () =>
    budget.measured('open the new side', async () => {
      const target = await forward.lines.target();
      // Nothing is applied any more, and nobody is let in yet: clients find every trigger as it was on the old side.
      for (const command of await commandsToEnable(await forward.lines.look(), forward)) await target.run(command);
      await openSide(target, 'target', facts);
    }),
  );
  if (!pooler) return;
  await untilDone(forward, () =>
    budget.measured('repoint', async () => {
      const console = await forward.lines.console();
      if (console) await repointPooler(console, pooler, facts.binding.target);
    }),
  );
  await untilDone(forward, () =>
    budget.measured('resume', async () => {
      const console = await forward.lines.console();
      await console?.run(resume(pooler.alias), eachTimeoutMs);
    }),
  );
}

/** RELOAD says nothing when the file was not understood, so the alias is looked at before anybody is let through. */
async function repointPooler(console: Console, pooler: PoolerEntry, address: Address): Promise<void> {
  if (!same(await readAlias(pooler.configFile, pooler.alias), address)) await writeAlias(pooler.configFile, pooler.alias, address);
  if (!same(await console.alias(pooler.alias, eachTimeoutMs), address)) await console.run(reload, eachTimeoutMs);
  const live = await console.alias(pooler.alias, eachTimeoutMs);
  if (!same(live, address)) {
    const points = live ? `${live.host}:${live.port}/${live.dbname}` : 'nowhere';
    throw new Failure('pooler-failed', `after RELOAD the alias ${pooler.alias} points to ${points}`, { alias: pooler.alias });
  }
}

function same(one: Address | undefined, other: Address): boolean {
  return one?.host === other.host && one.port === other.port && one.dbname === other.dbname;
}

async function untilDone({ attempt, lines }: Forward, act: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + giveUpAfterMs;
  for (;;) {
    attempt.alive();
    try {
      return await act();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      lines.drop();
      if (Date.now() > deadline || attempt.signal.aborted) {
        const what = `the switch is past the point of no return and traffic is still held up: ${reason}`;
        throw new Failure('pooler-failed', what, { part: 'forward' }, error);
      }
      attempt.progress({ summary: `switch: forward, trying again: ${reason}` });
      await wait(tryAgainMs);
    }
  }
}
