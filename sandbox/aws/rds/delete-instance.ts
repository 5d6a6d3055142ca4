import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import type { Xml } from '../xml.ts';
import { instanceXml } from './describe-instances.ts';
import { instanceOf, mustBe, newIdentifier } from './names.ts';
import { roomForSnapshot } from './quotas.ts';
import { addSnapshot, refuseTaken } from './snapshots.ts';

/** States in which AWS deletes; a failed one only without a final snapshot. */
const failed = ['failed', 'incompatible-restore', 'incompatible-network'];
const deletable = ['available', 'storage-optimization', 'stopped', 'storage-full', 'incompatible-parameters', ...failed];

export function deleteDBInstance(call: Call): Xml {
  const { query, rds, place, region } = call;
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  const finalId = finalSnapshotId(call);
  if (instance.deletionProtection)
    throw new AwsError(
      'InvalidParameterCombination',
      'Cannot delete protected DB Instance, please disable deletion protection and try again.',
    );
  if (instance.status === 'deleting') throw new AwsError('InvalidDBInstanceState', `Instance ${instance.id} is already being deleted.`);
  mustBe(instance, ...deletable);
  if (finalId !== undefined && failed.includes(instance.status))
    throw new AwsError('InvalidDBInstanceState', `Cannot take a final snapshot of ${instance.id} in state ${instance.status}.`);
  const final = finalId === undefined ? undefined : addSnapshot(place, instance, finalId, 'manual', []);
  instance.status = 'deleting';
  place.effect('DeleteDBInstance', region, instance.id);
  const keep = query.flag('DeleteAutomatedBackups') === false && instance.retention > 0;
  place.jobs.begin('delete', region, instance.resourceId, { final: final?.key, keep });
  return { DBInstance: instanceXml(place, instance) };
}

function finalSnapshotId(call: Call): string | undefined {
  const { query } = call;
  const name = query.text('FinalDBSnapshotIdentifier');
  if (query.flag('SkipFinalSnapshot') === true) {
    if (name === undefined) return undefined;
    throw new AwsError(
      'InvalidParameterCombination',
      'FinalDBSnapshotIdentifier can not be specified when deleting an instance with SkipFinalSnapshot.',
    );
  }
  if (name === undefined)
    throw new AwsError('InvalidParameterCombination', 'FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.');
  const id = newIdentifier('FinalDBSnapshotIdentifier', name, 255);
  refuseTaken(call, id);
  roomForSnapshot(call);
  return id;
}
