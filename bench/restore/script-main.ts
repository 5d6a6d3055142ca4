// The bare script in a process of its own: `script-main.ts <ms between looks>`. Does one order after the other.
import { createAws } from '../../activities/aws/aws.ts';
import { takeFacts } from '../../activities/engine/gather-findings.ts';
import type { FactsOrder } from '../../activities/engine/planner.ts';
import { parseInput } from '../../activities/engine/parse-input.ts';
import { takeCopyAbroadFacts } from '../../activities/backup/take-facts.ts';
import { takeRestoreFacts } from '../../activities/recovery/take-restore-facts.ts';
import { createServers } from '../../activities/postgres/session.ts';
import { createProviders } from '../../activities/providers/provider-of.ts';
import { pino } from 'pino';
import { drSnapshotCopy } from '../../workflows/dr-snapshot-copy/plan.ts';
import { pitrRestore } from '../../workflows/pitr-restore/plan.ts';
import { readConfig } from '../../worker/config.ts';
import { inventoryFile } from '../../worker/inventory-file.ts';
import { databaseAtAws as database } from '../../sandbox/demo/at-aws.ts';
import { ready, type FromScript, type Order, type ToScript } from './messages.ts';
import { copyAbroad, restoreBeside, type Script } from './script.ts';

const aws = createAws();
const inventory = inventoryFile(readConfig(process.env).inventoryFile, pino({ level: 'warn' }));
const servers = createServers(inventory, process.env, aws);
const providers = createProviders(servers, aws);
const script: Script = { servers, lookAgainMs: Number(process.argv[2]) };

const runbooks = { 'dr-snapshot-copy': drSnapshotCopy, 'pitr-restore': pitrRestore };

async function make({ runbook, run, input }: Order): Promise<FromScript> {
  const asked = { database, run, input: parseInput(runbooks[runbook], input), journal: [] };
  const taken = async <Taken>(take: (order: FactsOrder) => Promise<Taken>): Promise<Taken> =>
    await takeFacts(async (report) => await take({ ...asked, report }));
  // What a person would have written into the script before it is started.
  const timed =
    runbook === 'pitr-restore'
      ? restoreBeside(script, await taken(takeRestoreFacts(servers, providers, inventory)), run)
      : copyAbroad(script, await taken(takeCopyAbroadFacts({ servers, providers })), run);
  const from = Date.now();
  await timed();
  return { kind: 'done', stretch: { from, to: Date.now() } };
}

const say = (message: FromScript): void => void process.send?.(message);

process.on('message', (message: ToScript) => {
  if (message.kind === 'stop') process.disconnect();
  else make(message.order).then(say, (error: unknown) => say({ kind: 'failed', because: String(error) }));
});
process.once('disconnect', () => process.exit());
process.send?.(ready);
