import type { DBInstance } from '@aws-sdk/client-rds';
import { Failure } from '../../../domain/failure.ts';
import { tagOf } from '../../../domain/run.ts';
import type { BackupFacts, OldOrder } from '../backup-facts.ts';
import { quotas, refuse, type Finding } from './kit.ts';
import { bytesOf, entryOf, instanceOf, snapshotOf, stateOf, type Rds } from './look.ts';
import { lastName, ownName, removeAfterOf, runOf } from './own.ts';
import { readSettings } from './settings.ts';

/** An instance that a switch-over has put aside, and all that stands against its removal, told together. */
export async function inspectOld(rds: Rds, order: OldOrder): Promise<BackupFacts> {
  const { database, instance } = order;
  const { region } = entryOf(rds, database);
  const seen = await instanceOf(rds, region, instance);
  if (!seen) {
    const why = `there is no instance "${instance}" in ${region}; name one that a switch-over has put aside`;
    throw new Failure('plan-impossible', `${database}: ${why}. Nothing was removed.`, { database, region, instance });
  }
  const [room, name] = await Promise.all([
    quotas(rds, region, { ManualSnapshots: 1 }),
    order.run === undefined ? [] : lastNameFree(rds, region, order.run),
  ]);
  refuse(database, [...whoseFindings(seen, order), ...stateFindings(seen, region), ...room, ...name]);
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

const against = (text: string): Finding[] => [{ code: 'plan-impossible', text }];

/** Only what a switch-over of this database has put aside, and only when it is due. */
function whoseFindings({ TagList: tags }: DBInstance, { database, instance, early }: OldOrder): Finding[] {
  const [run, due] = [runOf(tags), removeAfterOf(tags)];
  if (run === null || due === null) {
    return against(
      `"${instance}" does not bear the tags of a switch-over (steadyhand-run, steadyhand:remove-after); nothing else is removed`,
    );
  }
  const of = run.split('/')[1] ?? '';
  if (of !== database) return against(`"${instance}" was put aside by ${run}: ask for it by the database "${of}"`);
  if (early || due <= new Date().toISOString().slice(0, 10)) return [];
  return against(`"${instance}" is kept until ${due}: ask again from that day on, or say early: true`);
}

function stateFindings(seen: DBInstance, region: string): Finding[] {
  const { DBInstanceIdentifier: id = '', DBInstanceStatus: status = 'unknown', ReadReplicaDBInstanceIdentifiers: replicas = [] } = seen;
  const lift = `aws rds modify-db-instance --region ${region} --db-instance-identifier ${id} --no-deletion-protection --apply-immediately`;
  return [
    ...(seen.DeletionProtection === true
      ? against(`"${id}" is protected from deletion, which is for a person to lift: ${lift}; then ask again`)
      : []),
    ...(stateOf(status) === 'broken'
      ? against(
          `"${id}" is ${status}, so no last snapshot can be made of it: bring it up first (aws rds start-db-instance), or remove it by hand`,
        )
      : []),
    ...(replicas.length > 0 ? against(`"${id}" has read replicas (${replicas.join(', ')}): remove or promote them first`) : []),
  ];
}

async function lastNameFree(rds: Rds, region: string, run: string): Promise<Finding[]> {
  const id = lastName(ownName(tagOf(run)));
  if (!(await snapshotOf(rds, region, id))) return [];
  return [{ code: 'foreign-object', text: `there is a snapshot "${id}" in ${region} already, which the last snapshot was to be called` }];
}
