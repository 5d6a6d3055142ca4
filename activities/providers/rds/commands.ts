import { callCommand, type Call } from '../../aws/call.ts';
import type { Command } from '../../../domain/command.ts';
import type { BackupFacts, Settings } from '../backup-facts.ts';
import { lastName, oldTagNames, oldTags, ownDatabaseTag, ownTags, ownVariables, type Own } from './own.ts';
import { modifyInput, restoreInput } from './settings.ts';

/**
 * The pure half of every verb: the calls that its effect half makes, no more. Everything that a run makes is called `:tag`, a
 * snapshot that it takes from an instance before removing it `:tag-last`; an instance whose place another one takes `:old`.
 */

const tagInput = (tags: Settings[string], own: Own): { Key: string; Value: string }[] => [
  ...(restoreInput({ Tags: tags ?? null }).Tags ?? []).map(({ Key = '', Value = '' }) => ({ Key, Value })),
  ...ownTags(own).map(({ Key = '', Value = '' }) => ({ Key, Value })),
];

export function createSnapshotCall({ binding: { source, settings } }: BackupFacts, own: Own): Call<'rds:CreateDBSnapshot'> {
  const Tags = tagInput(settings['Tags'] ?? null, own);
  return {
    region: source.region,
    action: 'rds:CreateDBSnapshot',
    input: { DBInstanceIdentifier: source.id, DBSnapshotIdentifier: own.tag, Tags },
  };
}

/** `snapshot`: the ARN of the one that this run has made, where it copies that. */
export function copySnapshotCall({ binding }: BackupFacts, own: Own, snapshot: string): Call<'rds:CopyDBSnapshot'> {
  const { copy } = binding;
  if (!copy) throw new Error('these facts were taken for no copy');
  return {
    region: copy.region,
    action: 'rds:CopyDBSnapshot',
    input: {
      SourceDBSnapshotIdentifier: copy.snapshot ?? snapshot,
      TargetDBSnapshotIdentifier: own.tag,
      ...(copy.key === null ? {} : { KmsKeyId: copy.key }),
      // Not CopyTags: a snapshot of another run has that one's tags.
      Tags: [...tagInput(copy.tags, own), ownDatabaseTag(binding.database)],
    },
  };
}

export function restoreToPointInTimeCall(facts: BackupFacts, own: Own): Call<'rds:RestoreDBInstanceToPointInTime'> {
  const { source, restore } = facts.binding;
  if (restore?.from.kind !== 'moment') throw new Error('these facts were taken for no moment');
  return {
    region: restore.region,
    action: 'rds:RestoreDBInstanceToPointInTime',
    input: {
      SourceDBInstanceIdentifier: source.id,
      TargetDBInstanceIdentifier: own.tag,
      RestoreTime: new Date(restore.from.at),
      ...restoredInput(facts, own),
    },
  };
}

export function restoreFromSnapshotCall(facts: BackupFacts, own: Own): Call<'rds:RestoreDBInstanceFromDBSnapshot'> {
  const { restore } = facts.binding;
  if (!restore || restore.from.kind === 'moment') throw new Error('these facts were taken for no snapshot');
  return {
    region: restore.region,
    action: 'rds:RestoreDBInstanceFromDBSnapshot',
    input: {
      DBSnapshotIdentifier: restore.from.kind === 'snapshot' ? restore.from.id : own.tag,
      DBInstanceIdentifier: own.tag,
      ...restoredInput(facts, own),
    },
  };
}

/** Where a restored instance stands. */
export function regionOf({ binding }: Pick<BackupFacts, 'binding'>): string {
  return binding.restore?.region ?? binding.source.region;
}

/** The source's settings, the quarantine's over them. */
export function plannedSettings({ binding }: BackupFacts): Settings {
  return { ...binding.settings, ...binding.quarantine };
}

function restoredInput(facts: BackupFacts, own: Own): ReturnType<typeof restoreInput> {
  const planned = plannedSettings(facts);
  return { ...restoreInput(planned), Tags: tagInput(planned['Tags'] ?? null, own) };
}

/** A change of one instance, by the name that it has then. */
function modifyCall(region: string, id: string, change: Omit<ModifyInput, 'DBInstanceIdentifier'>): Call<'rds:ModifyDBInstance'> {
  return { region, action: 'rds:ModifyDBInstance', input: { DBInstanceIdentifier: id, ApplyImmediately: true, ...change } };
}

type ModifyInput = Call<'rds:ModifyDBInstance'>['input'];

export function settingsCall(facts: BackupFacts, id: string, settings: Settings): Call<'rds:ModifyDBInstance'> {
  return modifyCall(regionOf(facts), id, modifyInput(settings));
}

export function setMainPasswordCall(facts: BackupFacts, id: string, password: string): Call<'rds:ModifyDBInstance'> {
  return modifyCall(regionOf(facts), id, { MasterUserPassword: password });
}

export function deleteRestoredCall(facts: BackupFacts, id: string): Call<'rds:DeleteDBInstance'> {
  const input = { DBInstanceIdentifier: id, SkipFinalSnapshot: true, DeleteAutomatedBackups: true };
  return { region: regionOf(facts), action: 'rds:DeleteDBInstance', input };
}

export const unprotectCall = (region: string, id: string): Call<'rds:ModifyDBInstance'> =>
  modifyCall(region, id, { DeletionProtection: false });

export const renameCall = (region: string, id: string, name: string): Call<'rds:ModifyDBInstance'> =>
  modifyCall(region, id, { NewDBInstanceIdentifier: name });

export const rebootCall = (region: string, id: string): Call<'rds:RebootDBInstance'> => ({
  region,
  action: 'rds:RebootDBInstance',
  input: { DBInstanceIdentifier: id },
});

/** `arn`: as its name is then. */
export function putAsideCall(
  { binding: { source } }: BackupFacts,
  own: Own,
  removeAfter: string,
  arn: string,
): Call<'rds:AddTagsToResource'> {
  return { region: source.region, action: 'rds:AddTagsToResource', input: { ResourceName: arn, Tags: oldTags(own, removeAfter) } };
}

export function takeUpCall({ binding: { source } }: BackupFacts, arn: string): Call<'rds:RemoveTagsFromResource'> {
  return { region: source.region, action: 'rds:RemoveTagsFromResource', input: { ResourceName: arn, TagKeys: oldTagNames } };
}

export function deleteInstanceCall({ binding: { source } }: BackupFacts, own: Own): Call<'rds:DeleteDBInstance'> {
  return {
    region: source.region,
    action: 'rds:DeleteDBInstance',
    input: {
      DBInstanceIdentifier: source.id,
      SkipFinalSnapshot: false,
      FinalDBSnapshotIdentifier: lastName(own.tag),
      DeleteAutomatedBackups: false,
    },
  };
}

export function deleteSnapshotCall(region: string, own: Own): Call<'rds:DeleteDBSnapshot'> {
  return { region, action: 'rds:DeleteDBSnapshot', input: { DBSnapshotIdentifier: own.tag } };
}

/** In the order of the facts. */
export function removeCopiesCalls({ binding: { prune } }: BackupFacts): Call<'rds:DeleteDBSnapshot'>[] {
  return (prune?.remove ?? []).map(({ id }) => ({
    region: prune?.region ?? '',
    action: 'rds:DeleteDBSnapshot',
    input: { DBSnapshotIdentifier: id },
  }));
}

const planned = ownVariables;

export const createSnapshot = (facts: BackupFacts): Command[] => [callCommand(createSnapshotCall(facts, planned))];
export const deleteSnapshot = ({ binding: { source } }: BackupFacts): Command[] => [
  callCommand(deleteSnapshotCall(source.region, planned)),
];
export const copySnapshot = (facts: BackupFacts): Command[] => [callCommand(copySnapshotCall(facts, planned, ':snapshot'))];
export const deleteCopy = ({ binding: { copy, source } }: BackupFacts): Command[] => [
  callCommand(deleteSnapshotCall(copy?.region ?? source.region, planned)),
];
export const removeCopies = (facts: BackupFacts): Command[] => removeCopiesCalls(facts).map((call) => callCommand(call));
export const restoreToPointInTime = (facts: BackupFacts): Command[] => [callCommand(restoreToPointInTimeCall(facts, planned))];
export const restoreFromSnapshot = (facts: BackupFacts): Command[] => [callCommand(restoreFromSnapshotCall(facts, planned))];
const notSo = 'when they are not all so already';
const isProtected = 'when it is protected from deletion';

export const applySettings = (facts: BackupFacts): Command[] => [
  callCommand(settingsCall(facts, planned.tag, plannedSettings(facts)), notSo),
];
export const setMainPassword = (facts: BackupFacts): Command[] => [callCommand(setMainPasswordCall(facts, planned.tag, ':password'))];
export const deleteRestored = (facts: BackupFacts): Command[] => [
  ...(facts.binding.swap ? [callCommand(unprotectCall(regionOf(facts), planned.tag), isProtected)] : []),
  callCommand(deleteRestoredCall(facts, planned.tag)),
];
export const deleteInstance = (facts: BackupFacts): Command[] => [callCommand(deleteInstanceCall(facts, planned))];

/** The name that the one in use gets, and the day when it is due to be removed. */
const [old, removeAfter] = [':old', ':remove_after'];
const away = 'when it is renamed, or on its way';

export const renameSource = (facts: BackupFacts): Command[] => {
  const { region, id, arn } = facts.binding.source;
  return [callCommand(putAsideCall(facts, planned, removeAfter, arn)), callCommand(renameCall(region, id, old))];
};
export const nameSourceBack = (facts: BackupFacts): Command[] => {
  const { region, id, arn } = facts.binding.source;
  return [callCommand(renameCall(region, old, id), away), callCommand(takeUpCall(facts, arn))];
};
export const renameRestored = (facts: BackupFacts): Command[] => [
  callCommand(renameCall(regionOf(facts), planned.tag, facts.binding.source.id)),
];
export const nameRestoredBack = (facts: BackupFacts): Command[] => [
  callCommand(renameCall(regionOf(facts), facts.binding.source.id, planned.tag), away),
];

const waitsForRestart = 'when its parameters wait for a restart';

const setAll = (facts: BackupFacts, id: string, settings: Settings): Command[] => [
  callCommand(settingsCall(facts, id, settings), notSo),
  callCommand(rebootCall(regionOf(facts), id), waitsForRestart),
];
export const openRestored = (facts: BackupFacts): Command[] => setAll(facts, facts.binding.source.id, facts.binding.settings);
export const closeRestored = (facts: BackupFacts): Command[] => setAll(facts, facts.binding.source.id, plannedSettings(facts));
