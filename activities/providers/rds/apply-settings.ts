import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import { ensure } from '../../engine/ensure.ts';
import type { Difference } from '../provider.ts';
import type { BackupFacts } from '../backup-facts.ts';
import { ownInstance, settled, sourceInstance } from './both-instances.ts';
import { plannedSettings, regionOf, setMainPasswordCall, settingsCall } from './commands.ts';
import { notCarried } from './instance-fields.ts';
import type { Rds } from './look.ts';
import { graceOfWait, whenBusy } from './make.ts';
import { differencesOf } from './settings.ts';

export async function applySettings(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const now = await ownInstance(rds, facts, attempt);
  settled(rds, regionOf(facts), now, attempt);
  const { DBInstanceIdentifier: id = '' } = now;
  const call = settingsCall(facts, id, plannedSettings(facts));
  const where = { region: regionOf(facts), id };
  await ensure<void>(attempt, {
    observe: async () => {
      const seen = await ownInstance(rds, facts, attempt);
      const left = differencesOf(plannedSettings(facts), seen, { modifiable: true, withPending: true });
      return left.length === 0 ? { state: 'there', result: undefined } : { state: 'absent' };
    },
    act: async () => {
      try {
        await rds.aws.call(call.region, call.action, call.input, where.id, attempt);
      } catch (error) {
        throw await whenBusy(rds, where, error);
      }
    },
    settleWithin: graceOfWait(rds),
  });
}

export async function setMainPassword(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const { database } = facts.binding;
  const { server } = rds.servers.entry(database);
  const now = await ownInstance(rds, facts, attempt);
  const { MasterUsername: main, MasterUserSecret: managed, DBInstanceIdentifier: id = '' } = now;
  const password = await rds.servers.secret(server.secret);
  if (server.user !== main || managed || password === undefined) {
    const why = managed ? 'RDS itself manages its password' : `the inventory has a secret of "${server.user}"`;
    throw new Failure('plan-impossible', `${database}: the main user of ${id} is "${main ?? ''}", and ${why}`, { database, id });
  }
  settled(rds, regionOf(facts), now, attempt);
  const call = setMainPasswordCall(facts, id, password);
  // Whether it is this one already nobody can see; setting it once more changes nothing.
  await attempt.intend({});
  try {
    await rds.aws.call(call.region, call.action, call.input, id, attempt);
  } catch (error) {
    throw await whenBusy(rds, { region: call.region, id }, error);
  }
  await attempt.settle('made');
}

/** Only what is in force counts: what is still pending differs, and so does a parameter group that waits for a restart. */
export async function compareSettings(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<readonly Difference[]> {
  const seen = await ownInstance(rds, facts, attempt);
  const found = seen.DBParameterGroups?.[0]?.ParameterApplyStatus ?? 'in-sync';
  const status = found === 'in-sync' ? [] : [{ setting: 'DBParameterGroupStatus', planned: 'in-sync', found }];
  const source = await sourceInstance(rds, facts);
  return [...differencesOf(plannedSettings(facts), seen), ...status, ...(source ? notCarried(source, seen) : [])];
}
