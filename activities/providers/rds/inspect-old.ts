import type { DBInstance } from '@aws-sdk/client-rds';
import { against, type FactFinding } from '../../../domain/finding.ts';
import { tagOf } from '../../../domain/run.ts';
import { FactsMissing, reportAll, takeFacts, type Report } from '../../engine/gather-findings.ts';
import type { BackupFacts, OldOrder } from '../backup-facts.ts';
import { quotas } from './kit.ts';
import { bytesOf, entryOf, instanceOf, snapshotOf, stateOf, type Rds } from './look.ts';
import { lastName, ownName, removeAfterOf, runOf } from './own.ts';
import { readSettings } from './settings.ts';

/** An instance that a switch-over has put aside, and all that stands against its removal. */
export async function inspectOld(rds: Rds, order: OldOrder, report?: Report): Promise<BackupFacts> {
  return await takeFacts(async (found) => await inspected(rds, order, found), report);
}

async function inspected(rds: Rds, order: OldOrder, report: Report): Promise<BackupFacts> {
  const { database, instance } = order;
  const { region } = entryOf(rds, database);
  const seen = await instanceOf(rds, region, instance);
  if (!seen) {
    report([against('instance', `there is no instance "${instance}" in ${region}`, 'Name one that a switch-over has put aside.')]);
    throw new FactsMissing();
  }
  report([...whoseFindings(seen, order), ...stateFindings(seen, region)]);
  await reportAll(report, [
    ['quota', quotas(rds, region, { ManualSnapshots: 1 })],
    ...(order.run === undefined ? [] : [['name', lastNameFree(rds, region, order.run)] as const]),
  ]);
  const { Address: host = '', Port: port = 0 } = seen.Endpoint ?? {};
  return {
    binding: {
      provider: 'rds',
      database,
      source: {
        id: instance,
        arn: seen.DBInstanceArn ?? '',
        resource: seen.DbiResourceId ?? '',
        region,
        engine: seen.Engine ?? '',
        version: seen.EngineVersion ?? '',
        encrypted: seen.StorageEncrypted ?? false,
        asMainUser: false,
      },
      restore: null,
      copy: null,
      old: { run: runOf(seen.TagList) ?? '', removeAfter: removeAfterOf(seen.TagList) ?? '', host, port },
      settings: readSettings(seen),
      quarantine: {},
    },
    observed: { bytes: bytesOf(seen.AllocatedStorage), window: null, takenAt: null },
  };
}

/** Only what a switch-over of this database has put aside, and only when it is due. */
function whoseFindings({ TagList: tags }: DBInstance, { database, instance, early }: OldOrder): FactFinding[] {
  const [run, due] = [runOf(tags), removeAfterOf(tags)];
  if (run === null || due === null) {
    const evidence = `"${instance}" does not bear the tags of a switch-over (steadyhand-run, steadyhand:remove-after)`;
    return [against('old instance', evidence, 'Name one that does: nothing else is removed.')];
  }
  const of = run.split('/')[1] ?? '';
  if (of !== database) return [against('old instance', `"${instance}" was put aside by ${run}`, `Ask for it by the database "${of}".`)];
  if (early || due <= new Date().toISOString().slice(0, 10)) return [];
  return [against('old instance', `"${instance}" is kept until ${due}`, 'Ask again from that day on, or say early=true.')];
}

function stateFindings(seen: DBInstance, region: string): FactFinding[] {
  const { DBInstanceIdentifier: id = '', DBInstanceStatus: status = 'unknown', ReadReplicaDBInstanceIdentifiers: replicas = [] } = seen;
  const lift = `aws rds modify-db-instance --region ${region} --db-instance-identifier ${id} --no-deletion-protection --apply-immediately`;
  const found: FactFinding[] = [];
  if (seen.DeletionProtection === true) {
    const evidence = `"${id}" is protected from deletion, which is for a person to lift`;
    found.push(against('deletion protection', evidence, `Lift it, then ask again: ${lift}`));
  }
  if (stateOf(status) === 'broken') {
    const fix = 'Bring it up first (aws rds start-db-instance), or remove it by hand.';
    found.push(against('instance', `"${id}" is ${status}, so no last snapshot can be made of it`, fix));
  }
  if (replicas.length > 0)
    found.push(against('read replicas', `"${id}" has read replicas (${replicas.join(', ')})`, 'Remove or promote them first.'));
  return found;
}

async function lastNameFree(rds: Rds, region: string, run: string): Promise<FactFinding[]> {
  const id = lastName(ownName(tagOf(run)));
  if (!(await snapshotOf(rds, region, id))) return [];
  const evidence = `there is a snapshot "${id}" in ${region} already, which the last snapshot was to be called`;
  return [against('name', evidence, 'Find out whose it is; remove it.', 'foreign-object')];
}
