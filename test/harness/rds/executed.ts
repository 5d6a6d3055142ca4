import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Aws } from '../../../sandbox/aws/aws.ts';
import { executedIn } from '../../support/executed.ts';
import { callText, saidTo } from '../../support/providers/as-planned.ts';
import type { Executed } from '../stage.ts';
import type { Account } from './account.ts';
import { somebodyElse } from './others.ts';

const looks = /^(?:Describe|List|Get)/;

/** What a session that changes the copy looks up there beforehand; the plan has what it does. */
const looksUp = /^SELECT (?:current_setting\(|[^;]*?\bFROM pg_(?:extension|class|index|proc) )/;

/** The calls in these regions that changed something, or were to. Who made one says so itself, at the end of the user agent. */
export function callsOf(aws: Aws, since: number, regions: readonly string[]): Executed[] {
  const calls = aws.calls().slice(since);
  return calls
    .filter(({ action, region, userAgent }) => regions.includes(region) && !looks.test(action) && !userAgent.includes(somebodyElse))
    .map((call) => ({
      on: 'provider',
      step: /steadyhand\/[^/]+\/[^/]+\/[^/]+\/([^/]+)\//.exec(call.userAgent)?.[1] ?? 'nobody',
      text: callText(saidTo(call)),
      refused: call.status !== 200,
      disturbed: call.faults !== undefined,
    }));
}

interface Logs {
  readonly account: Pick<Account, 'logs'>;
  /** Older logs are other cases'. */
  readonly begun: Date;
  readonly dbname: string;
  /** AWS's name of the instance in use; all others with that database are restored ones. */
  readonly live: string;
}

/** The steps' statements, as the servers wrote them down; also those of servers that are gone. */
export async function statementsOf({ account, begun, dbname, live }: Logs): Promise<Executed[]> {
  const executed: Executed[] = [];
  for (const name of (await readdir(account.logs)).toSorted()) {
    const file = join(account.logs, name);
    if ((await stat(file)).mtime < begun) continue;
    const on = name.startsWith(live) ? 'live' : 'restored';
    const statements = executedIn(await readFile(file, 'utf8'), dbname);
    const done = statements.filter(({ statement }) => on === 'live' || !looksUp.test(statement));
    executed.push(...done.map(({ step, statement }) => ({ on, step, text: statement }) as const));
  }
  return executed;
}
