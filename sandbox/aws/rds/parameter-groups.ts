import { AwsError } from '../aws-error.ts';
import type { Call, Place } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import { engineVersion } from '../versions.ts';
import type { ParameterGroup } from './model.ts';
import { arn, newIdentifier, parseArn } from './names.ts';
import { pageOf } from './pages.ts';
import { roomForParameterGroup } from './quotas.ts';
import { tagsOf } from './tags.ts';

export function createDBParameterGroup(call: Call): Xml {
  const { query } = call;
  const family = query.required('DBParameterGroupFamily');
  engineVersion(call.place.engines, family.replace(/^postgres/, ''));
  const parameters = {};
  return addGroup(call, query.required('DBParameterGroupName'), { family, description: query.required('Description'), parameters });
}

export function copyDBParameterGroup(call: Call): Xml {
  const { query } = call;
  const source = findGroup(call, parseArn(call, 'pg', query.required('SourceDBParameterGroupIdentifier')).name);
  const description = query.required('TargetDBParameterGroupDescription');
  const parameters = structuredClone(source.parameters);
  return addGroup(call, query.required('TargetDBParameterGroupIdentifier'), { family: source.family, description, parameters });
}

function addGroup(call: Call, given: string, group: Pick<ParameterGroup, 'family' | 'description' | 'parameters'>): Xml {
  const { rds, query, place, region } = call;
  const name = newIdentifier('DBParameterGroupName', given, 255);
  if (rds.parameterGroups[name]) throw new AwsError('DBParameterGroupAlreadyExists', `Parameter group ${name} already exists`);
  roomForParameterGroup(call);
  const made: ParameterGroup = { ...group, name, tags: tagsOf(query) };
  rds.parameterGroups[name] = made;
  place.effect(query.action, region, name);
  return { DBParameterGroup: groupXml(place, region, made) };
}

export function describeDBParameterGroups(call: Call): Xml {
  const { rds, query, place, region } = call;
  const name = query.text('DBParameterGroupName');
  const named = name === undefined ? [...defaultGroups(place), ...Object.values(rds.parameterGroups)] : [findGroup(call, name)];
  const { items, marker } = pageOf(query, named);
  return {
    Marker: marker,
    DBParameterGroups: list(
      'DBParameterGroup',
      items.map((one) => groupXml(place, region, one)),
    ),
  };
}

export function deleteDBParameterGroup(call: Call): undefined {
  const { rds, query, place, region } = call;
  const { name } = changeable(call);
  const user = Object.values(rds.instances).find(({ parameterGroup }) => parameterGroup === name);
  if (user)
    throw new AwsError(
      'InvalidDBParameterGroupState',
      `One or more database instances are still members of this parameter group ${name}, so the group cannot be deleted`,
    );
  delete rds.parameterGroups[name];
  place.effect(query.action, region, name);
}

/** A group of one's own. Throws for AWS's default ones. */
export function changeable(call: Call): ParameterGroup {
  const group = findGroup(call, call.query.required('DBParameterGroupName'));
  if (group.name.startsWith('default.'))
    throw new AwsError('InvalidDBParameterGroupState', `The default parameter group ${group.name} cannot be changed.`);
  return group;
}

/** Throws DBParameterGroupNotFound. */
export function findGroup({ rds, place }: Call, name: string): ParameterGroup {
  const found = rds.parameterGroups[name.toLowerCase()] ?? defaultGroups(place).find((one) => one.name === name);
  if (!found) throw new AwsError('DBParameterGroupNotFound', `DBParameterGroup not found: ${name}`, 404);
  return found;
}

function defaultGroups({ engines }: Place): ParameterGroup[] {
  return engines.map(({ major }) => ({
    name: `default.postgres${major}`,
    family: `postgres${major}`,
    description: `Default parameter group for postgres${major}`,
    parameters: {},
    tags: [],
  }));
}

function groupXml(place: Place, region: string, { name, family, description }: ParameterGroup): Xml {
  return {
    DBParameterGroupName: name,
    DBParameterGroupFamily: family,
    Description: description,
    DBParameterGroupArn: arn(place, region, 'pg', name),
  };
}
