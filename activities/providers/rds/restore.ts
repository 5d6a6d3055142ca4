import type { DBInstance } from '@aws-sdk/client-rds';
import { Failure, notYet } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Observation } from '../../engine/ensure.ts';
import type { Restored } from '../provider.ts';
import type { BackupFacts } from '../backup-facts.ts';
import { ownInstance, restoredInstance, settled, sourceInstance } from './both-instances.ts';
import { plannedSettings, regionOf, restoreFromSnapshotCall, restoreToPointInTimeCall } from './commands.ts';
import { instanceOf, stateOf, type Rds } from './look.ts';
import { foreign, make } from './make.ts';
import { bearsKey, bearsRun, ownName, ownOf } from './own.ts';
import { differencesOf } from './settings.ts';

export async function restoreToPointInTime(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const call = () => restoreToPointInTimeCall(facts, ownOf(attempt));
  await make(rds, attempt, { call, of: facts.binding.source, observe: () => observed(rds, facts, attempt) });
}

export async function restoreFromSnapshot(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const call = () => restoreFromSnapshotCall(facts, ownOf(attempt));
  await make(rds, attempt, { call, of: facts.binding.source, observe: () => observed(rds, facts, attempt) });
}

/** What makes an instance another one than was asked for, however far it is. */
const telling = ['DBInstanceClass', 'DBParameterGroupName', 'VpcSecurityGroupIds', 'DBSubnetGroupName'];

async function observed(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<Observation<void>> {
  const region = regionOf(facts);
  const id = ownName(attempt.tag);
  const seen = await restoredInstance(rds, facts, attempt.run);
  const { from } = facts.binding.restore ?? {};
  if (!seen) return { state: 'absent', ...(from?.kind === 'moment' ? { before: { moment: from.at } } : {}) };
  if (!bearsKey(seen.TagList, attempt)) return foreign('an instance', { region }, id);
  const drift = differencesOf(plannedSettings(facts), seen, { withPending: true }).filter(({ setting }) => telling.includes(setting));
  if (drift.length === 0) return { state: 'there', result: undefined };
  const list = drift.map(({ setting, planned, found }) => `${setting} is ${JSON.stringify(found)}, planned was ${JSON.stringify(planned)}`);
  return { state: 'drifted', what: `the instance ${id} in ${region} was changed: ${list.join('; ')}` };
}

export async function awaitAvailable(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<Restored> {
  const seen = await ownInstance(rds, facts, attempt);
  settled(rds, regionOf(facts), seen, attempt);
  const restored = restoredOf(seen);
  if (!restored) throw notYet(`the instance ${ownName(attempt.tag)} has no address yet`, rds.pace.lookAgainMs);
  return restored;
}

export async function find(rds: Rds, facts: BackupFacts, run: string): Promise<Restored | null> {
  const seen = await restoredInstance(rds, facts, run);
  if (!seen || !bearsRun(seen.TagList, run) || stateOf(seen.DBInstanceStatus) !== 'ready') return null;
  return restoredOf(seen) ?? null;
}

export function restoredOf({ DBInstanceIdentifier: id = '', DbiResourceId: resource = '', Endpoint }: DBInstance): Restored | undefined {
  const { Address: host, Port: port } = Endpoint ?? {};
  return host === undefined || port === undefined ? undefined : { id, resource, host, port };
}

export async function awaitReady(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const { region, id, resource } = facts.binding.source;
  const seen = await sourceInstance(rds, facts);
  if (!seen || seen.DbiResourceId !== resource) {
    const now = seen ? `is ${seen.DbiResourceId ?? 'another one'} now` : 'is gone';
    throw new Failure('identity-changed', `the instance ${id} in ${region} ${now}; the plan was made for ${resource}`, { id, region });
  }
  settled(rds, region, seen, attempt);
}

export async function awaitRestorable(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const { source, restore } = facts.binding;
  if (restore?.from.kind !== 'moment') return;
  const latest = (await instanceOf(rds, source.region, source.id))?.LatestRestorableTime;
  if (latest && latest >= new Date(restore.from.at)) return;
  const missing = latest ? Math.ceil((Date.parse(restore.from.at) - latest.getTime()) / 1_000) : null;
  const summary = `${source.id} can be restored up to ${latest?.toISOString() ?? 'no moment yet'}, not yet to ${restore.from.at}`;
  attempt.progress({ summary, ...(missing === null ? {} : { secondsLeft: missing }) });
  throw notYet(summary, rds.pace.lookAgainMs);
}
