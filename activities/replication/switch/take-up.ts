import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Switched } from '../contract.ts';
import type { MigrationFacts } from '../facts.ts';
import { goForward } from './forward.ts';
import { createLines, type Lines } from './lines.ts';
import type { SwitchFacts } from './switch-facts.ts';
import type { Switch } from './under-way.ts';

const lookTimeoutMs = 3_000;

/** An attempt before this one decided: only the rest is done. The pause is from its hold-up until now, by the workers' clocks. */
export async function takeUp(one: Switch, facts: SwitchFacts): Promise<Switched> {
  const { attempt, migration, planned, pooler, budget } = one;
  await attempt.intend({});
  const lines = createLines(one, planned, {});
  try {
    const already = await servedByTarget(lines, pooler, planned);
    await goForward({ migration, facts: planned, pooler, attempt, budget, lines });
    await attempt.settle('made');
    const note = already ? `resumed before attempt ${attempt.number} looked` : `taken up by attempt ${attempt.number}`;
    const decidedAfter = facts.parts.reduce((sum, part) => sum + part.ms, 0);
    return {
      pauseMs: already ? decidedAfter : Date.now() - Date.parse(facts.pausedAt),
      parts: [...facts.parts, { part: note, ms: 0 }, ...budget.parts],
      markerLsn: facts.markerLsn,
      sequences: facts.sequences,
      lockedOut: facts.lockedOut,
    };
  } finally {
    await lines.end();
  }
}

/** Whether the attempt that decided had resumed the pooler before it ended. Without a pooler nobody can tell. */
async function servedByTarget(lines: Lines, pooler: PoolerEntry | undefined, { binding }: MigrationFacts): Promise<boolean> {
  if (!pooler) return false;
  try {
    const live = await (await lines.console())?.alias(pooler.alias, lookTimeoutMs);
    return live !== undefined && !live.paused && live.host === binding.target.host && live.port === binding.target.port;
  } catch {
    // It is tried again, and reported, when it is needed.
    lines.drop();
    return false;
  }
}
