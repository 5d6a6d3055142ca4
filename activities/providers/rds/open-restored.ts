import { z } from 'zod';
import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Call } from '../../aws/call.ts';
import type { AwsAction } from '../../aws/calls.ts';
import type { Difference } from '../answers.ts';
import type { BackupFacts, Settings } from '../backup-facts.ts';
import { later, ownInstance, restoredInstance, settled } from './both-instances.ts';
import { plannedSettings, rebootCall, regionOf, settingsCall } from './commands.ts';
import type { Rds } from './look.ts';
import { whenBusy } from './make.ts';
import { differencesOf } from './settings.ts';

export async function openRestored(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  await attempt.intend({});
  await setAll(rds, facts, attempt, facts.binding.settings);
  await attempt.settle('made');
}

export async function closeRestored(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  await attempt.intend({});
  // Gone with it is whatever was open.
  if (await restoredInstance(rds, facts, attempt.run)) await setAll(rds, facts, attempt, plannedSettings(facts));
  await attempt.settle('undone');
}

const asking = z.object({ asked: z.number() });

/** Until they are in force: asks for what is not so, restarts it when its parameters wait for that; `not-yet` in between. */
async function setAll(rds: Rds, facts: BackupFacts, attempt: Attempt, settings: Settings): Promise<void> {
  const region = regionOf(facts);
  const seen = await ownInstance(rds, facts, attempt);
  const { DBInstanceIdentifier: id = '' } = seen;
  const what = `the instance ${id} in ${region}`;
  settled(rds, region, seen, attempt);
  const unasked = differencesOf(settings, seen, { modifiable: true, withPending: true });
  if (unasked.length > 0) {
    refuseStubborn(rds, attempt, what, unasked);
    await ask(rds, attempt, settingsCall(facts, id, settings), id);
  }
  const left = differencesOf(settings, seen, { modifiable: true });
  if (left.length > 0) throw later(rds, attempt, `${what} is getting ${left.map(({ setting }) => setting).join(', ')}`);
  const status = seen.DBParameterGroups?.[0]?.ParameterApplyStatus ?? 'in-sync';
  if (status === 'in-sync') return;
  if (status === 'pending-reboot') await ask(rds, attempt, rebootCall(region, id), id);
  throw later(rds, attempt, `the parameters of ${what} are ${status}`);
}

/** What was asked for and is neither so nor going to be after the grace of AWS does not become so by asking again. */
function refuseStubborn({ pace }: Rds, attempt: Attempt, what: string, left: readonly Difference[]): void {
  const { asked } = asking.safeParse(attempt.checkpoint).data ?? { asked: Date.now() };
  attempt.save({ asked });
  if (Date.now() - asked <= pace.graceMs) return;
  const found = left.map((one) => `${one.setting} is ${JSON.stringify(one.found)} and not ${JSON.stringify(one.planned)}`);
  throw new Failure('drift', `${what} was told its settings, and ${found.join('; ')}`, { settings: left.map(({ setting }) => setting) });
}

async function ask(rds: Rds, attempt: Attempt, { region, action, input }: Call<AwsAction>, id: string): Promise<void> {
  await attempt.current();
  try {
    await rds.aws.call(region, action, input, id, attempt);
  } catch (error) {
    throw await whenBusy(rds, { region, id }, error);
  }
}
