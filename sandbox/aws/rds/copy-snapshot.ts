import { AwsError } from '../aws-error.ts';
import { checkKey, usableKey } from '../kms.ts';
import { rdsOf, type Call } from '../place.ts';
import { presignedRegion } from '../presigned.ts';
import { identifier } from '../state.ts';
import type { Xml } from '../xml.ts';
import { defaultOptionGroup } from './memberships.ts';
import type { Snapshot, Tag } from './model.ts';
import { arn, newIdentifier, parseArn, snapshotOf } from './names.ts';
import { roomForCopy, roomForSnapshot } from './quotas.ts';
import { refuseTaken, snapshotXml } from './snapshots.ts';
import { tagsOf } from './tags.ts';

/** Called in the destination's region; a source in another one is named by its ARN. */
export function copyDBSnapshot(call: Call): Xml {
  const { query, rds, place, region } = call;
  const id = newIdentifier('TargetDBSnapshotIdentifier', query.required('TargetDBSnapshotIdentifier'), 255);
  const from = parseArn(call, 'snapshot', query.required('SourceDBSnapshotIdentifier'));
  const source = snapshotOf(rdsOf(place, from.region), from.name);
  refuseTaken(call, id);
  if (source.status !== 'available')
    throw new AwsError('InvalidDBSnapshotState', `Cannot copy the snapshot ${source.id} because it is in state ${source.status}.`);
  roomForCopy(call, source.region);
  roomForSnapshot(call);
  const copy: Snapshot = {
    ...source,
    id,
    key: `snap-${identifier(20)}`,
    region,
    type: 'manual',
    status: 'creating',
    requestedAt: new Date().toISOString(),
    progress: 0,
    createdAt: undefined,
    keyArn: copyKey(call, source),
    optionGroup: query.text('OptionGroupName') ?? defaultOptionGroup(source.engineVersion),
    zone: from.region === region ? source.zone : `${region}a`,
    source: { arn: arn(place, source.region, 'snapshot', source.id), region: source.region },
    tags: copyTags(call, source),
  };
  rds.snapshots[id] = copy;
  place.effect('CopyDBSnapshot', region, id);
  place.jobs.begin('copy', region, copy.key, { source: source.key, sourceRegion: source.region });
  return { DBSnapshot: snapshotXml(place, copy) };
}

/** Across regions an encrypted one needs a key of the destination, and a request that is signed for the source's region. */
function copyKey(call: Call, source: Snapshot): string | undefined {
  const { query, place, region } = call;
  const name = query.text('KmsKeyId');
  checkKey(place, source.region, source.keyArn);
  if (source.keyArn === undefined || source.region === region) return name === undefined ? source.keyArn : usableKey(place, region, name);
  if (name === undefined)
    throw new AwsError('KMSKeyNotAccessibleFault', `The snapshot ${source.id} is encrypted: KmsKeyId must name a key of ${region}.`);
  if (presignedRegion(place, query.text('PreSignedUrl')) !== source.region)
    throw new AwsError('InvalidParameterValue', `PreSignedUrl must be signed for the source's region ${source.region}.`);
  return usableKey(place, region, name);
}

function copyTags({ query }: Call, source: Snapshot): Tag[] {
  const own = tagsOf(query);
  const taken = query.flag('CopyTags') === true ? source.tags.filter(({ key }) => !own.some((one) => one.key === key)) : [];
  return [...taken, ...own];
}
