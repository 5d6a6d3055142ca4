import type { DBInstance } from '@aws-sdk/client-rds';
import { Failure, notYet } from '../../../domain/failure.ts';
import { tagOf } from '../../../domain/run.ts';
import type { Attempt } from '../../attempt.ts';
import type { Observation } from '../../engine/ensure.ts';
import type { Restored } from '../provider.ts';
import type { BackupFacts } from '../backup-facts.ts';
import { plannedSettings, restoreFromSnapshotCall, restoreToPointInTimeCall } from './commands.ts';
import { instanceOf, stateOf, type Rds } from './look.ts';
import { foreign, make } from './make.ts';
import { bearsKey, bearsRun, ownName, ownOf } from './own.ts';
import { differencesOf } from './settings.ts';

export async function restoreToPointInTime(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const call = restoreToPointInTimeCall(facts, ownOf(attempt));
  await make(rds, attempt, { call, of: facts.binding.source, observe: () => observed(rds, facts, attempt) });
}

export async function restoreFromSnapshot(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const call = restoreFromSnapshotCall(facts, ownOf(attempt));
  await make(rds, attempt, { call, of: facts.binding.source, observe: () => observed(rds, facts, attempt) });
}

/** What makes an instance another one than was asked for, however far it is. */
const telling = ['DBInstanceClass', 'DBParameterGroupName', 'VpcSecurityGroupIds', 'DBSubnetGroupName'];

async function observed(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<Observation<void>> {
  const region = regionOf(facts);
  const id = ownName(attempt.tag);
  const seen = await instanceOf(rds, region, id);
  if (!seen) return { state: 'absent' };
  if (!bearsKey(seen.TagList, attempt)) return foreign('an instance', { region }, id);
  const drift = differencesOf(plannedSettings(facts), seen, { withPending: true }).filter(({ setting }) => telling.includes(setting));
  if (drift.length === 0) return { state: 'there', result: undefined };
  const list = drift.map(({ setting, planned, found }) => `${setting} is ${JSON.stringify(found)}, planned was ${JSON.stringify(planned)}`);
  return { state: 'drifted', what: `the instance ${id} in ${region} was changed: ${list.join('; ')}` };
}

export function regionOf({ binding }: BackupFacts): string {
  return binding.restore?.region ?? binding.source.region;
}

/** This run's own instance. Raises `not-yet` while AWS does not tell of it, `foreign-object` when it is not the run's. */
export async function ownInstance(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<DBInstance> {
  const region = regionOf(facts);
  const id = ownName(attempt.tag);
  const seen = await instanceOf(rds, region, id);
  if (!seen) throw notYet(`the instance ${id} in ${region} cannot be seen yet`, rds.pace.lookAgainMs);
  if (!bearsRun(seen.TagList, attempt.run)) {
    throw new Failure('foreign-object', `the instance ${id} in ${region} does not carry the tag of this run`, { id, region });
  }
  return seen;
}

export async function awaitAvailable(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<Restored> {
  const seen = await ownInstance(rds, facts, attempt);
  settled(rds, regionOf(facts), seen, attempt);
  const restored = restoredOf(seen);
  if (!restored) throw notYet(`the instance ${ownName(attempt.tag)} has no address yet`, rds.pace.lookAgainMs);
  return restored;
}

export async function find(rds: Rds, facts: BackupFacts, run: string): Promise<Restored | null> {
  const seen = await instanceOf(rds, regionOf(facts), ownName(tagOf(run)));
  if (!seen || !bearsRun(seen.TagList, run) || stateOf(seen.DBInstanceStatus) !== 'ready') return null;
  return restoredOf(seen) ?? null;
}

function restoredOf({ DBInstanceIdentifier: id = '', DbiResourceId: resource = '', Endpoint }: DBInstance): Restored | undefined {
  const { Address: host, Port: port } = Endpoint ?? {};
  return host === undefined || port === undefined ? undefined : { id, resource, host, port };
}

export async function awaitReady(rds: Rds, facts: BackupFacts, attempt: Attempt): Promise<void> {
  const { region, id, resource } = facts.binding.source;
  const seen = await instanceOf(rds, region, id);
  if (!seen || seen.DbiResourceId !== resource) {
    const now = seen ? `is ${seen.DbiResourceId ?? 'another one'} now` : 'is gone';
    throw new Failure('identity-changed', `the instance ${id} in ${region} ${now}; the plan was made for ${resource}`, { id, region });
  }
  settled(rds, region, seen, attempt);
}

/** Passes when it is available; else says what it waits for, or why it need not. */
function settled({ pace }: Rds, region: string, seen: DBInstance, attempt: Attempt): void {
  const { DBInstanceIdentifier: id = '', DBInstanceStatus: status = 'unknown' } = seen;
  const state = stateOf(status);
  if (state === 'ready') return;
  const summary = `the instance ${id} in ${region} is ${status}`;
  if (state === 'broken') throw new Failure('provider-refused', `${summary}, which does not pass by itself`, { id, region, status });
  attempt.progress({ summary });
  throw notYet(summary, pace.lookAgainMs);
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
