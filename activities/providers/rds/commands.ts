import { callCommand, type Call } from '../../aws/call.ts';
import type { Command } from '../../../domain/command.ts';
import type { BackupFacts, Settings } from '../backup-facts.ts';
import { ownTags, ownVariables, type Own } from './own.ts';
import { modifyInput, restoreInput } from './settings.ts';

/**
 * The pure half of every verb: the calls that its effect half makes, no more. Everything that a run makes is called `:tag`, a
 * snapshot that it takes from an instance before removing it `:tag-last`.
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
      Tags: tagInput(copy.tags, own),
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

/** The source's settings, the quarantine's over them. */
export function plannedSettings({ binding }: BackupFacts): Settings {
  return { ...binding.settings, ...binding.quarantine };
}

function restoredInput(facts: BackupFacts, own: Own): ReturnType<typeof restoreInput> {
  const planned = plannedSettings(facts);
  return { ...restoreInput(planned), Tags: tagInput(planned['Tags'] ?? null, own) };
}

export function applySettingsCall(facts: BackupFacts, own: Own): Call<'rds:ModifyDBInstance'> {
  return {
    region: facts.binding.restore?.region ?? facts.binding.source.region,
    action: 'rds:ModifyDBInstance',
    input: { DBInstanceIdentifier: own.tag, ApplyImmediately: true, ...modifyInput(plannedSettings(facts)) },
  };
}

export function setMainPasswordCall({ binding }: BackupFacts, own: Own, password: string): Call<'rds:ModifyDBInstance'> {
  const input = { DBInstanceIdentifier: own.tag, MasterUserPassword: password, ApplyImmediately: true };
  return { region: binding.restore?.region ?? binding.source.region, action: 'rds:ModifyDBInstance', input };
}

export function deleteRestoredCall({ binding }: BackupFacts, own: Own): Call<'rds:DeleteDBInstance'> {
  const input = { DBInstanceIdentifier: own.tag, SkipFinalSnapshot: true, DeleteAutomatedBackups: true };
  return { region: binding.restore?.region ?? binding.source.region, action: 'rds:DeleteDBInstance', input };
}

export const unprotectCall = ({ binding: { source } }: BackupFacts): Call<'rds:ModifyDBInstance'> => ({
  region: source.region,
  action: 'rds:ModifyDBInstance',
  input: { DBInstanceIdentifier: source.id, DeletionProtection: false, ApplyImmediately: true },
});

export function deleteInstanceCall({ binding: { source } }: BackupFacts, own: Own): Call<'rds:DeleteDBInstance'> {
  return {
    region: source.region,
    action: 'rds:DeleteDBInstance',
    input: {
      DBInstanceIdentifier: source.id,
      SkipFinalSnapshot: false,
      FinalDBSnapshotIdentifier: `${own.tag}-last`,
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
export const applySettings = (facts: BackupFacts): Command[] => [
  callCommand(applySettingsCall(facts, planned), 'when they are not all so already'),
];
export const setMainPassword = (facts: BackupFacts): Command[] => [callCommand(setMainPasswordCall(facts, planned, ':password'))];
export const deleteRestored = (facts: BackupFacts): Command[] => [callCommand(deleteRestoredCall(facts, planned))];
export const deleteInstance = (facts: BackupFacts): Command[] => [
  callCommand(unprotectCall(facts), 'when it is protected from deletion'),
  callCommand(deleteInstanceCall(facts, planned)),
];
