import type { Attempt } from '../attempt.ts';
import { changing, type Sides } from '../replication/side.ts';
import { analyze as planned } from './commands.ts';

/** Milliseconds for one statement: a large table's statistics or a heavy view take their time. */
const statementTimeoutMs = 6 * 3_600_000;

/** Fills the materialised views of the target and gives the planner statistics of everything. Repeating it costs only time. */
export async function analyze(sides: Sides, attempt: Attempt): Promise<void> {
  const commands = planned(sides.migration, sides.facts);
  await attempt.intend({});
  const work = async (session: Parameters<Parameters<typeof changing>[3]>[0]): Promise<void> => {
    for (const [index, command] of commands.entries()) {
      attempt.signal.throwIfAborted();
      attempt.progress({ summary: `${command.text} (${index + 1} of ${commands.length})`, fraction: index / commands.length });
      await session.run(command);
    }
  };
  await changing(sides, 'target', attempt, work, statementTimeoutMs);
  await attempt.settle('made');
}
