import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import { defaultOptionGroup } from './memberships.ts';
import type { OptionGroup } from './model.ts';
import { arn, newIdentifier } from './names.ts';
import { pageOf } from './pages.ts';
import { tagsOf } from './tags.ts';

/** PostgreSQL has no options at AWS, so these are names only. */
export function createOptionGroup(call: Call): Xml {
  const { rds, query, place, region } = call;
  const name = newIdentifier('OptionGroupName', query.required('OptionGroupName'), 255);
  if (rds.optionGroups[name]) throw new AwsError('OptionGroupAlreadyExistsFault', `An option group with the name ${name} already exists`);
  const [majorVersion, description] = [query.required('MajorEngineVersion'), query.required('OptionGroupDescription')];
  const group: OptionGroup = { name, majorVersion, description, tags: tagsOf(query) };
  rds.optionGroups[name] = group;
  place.effect(query.action, region, name);
  return { OptionGroup: xml(call, group) };
}

export function describeOptionGroups(call: Call): Xml {
  const { rds, query, place } = call;
  const name = query.text('OptionGroupName');
  const defaults = place.engines.map(({ major }) => ({
    name: defaultOptionGroup(major),
    majorVersion: major,
    description: 'Default',
    tags: [],
  }));
  const found = [...defaults, ...Object.values(rds.optionGroups)].filter((one) => name === undefined || one.name === name.toLowerCase());
  if (name !== undefined && found.length === 0)
    throw new AwsError('OptionGroupNotFoundFault', `Specified OptionGroupName: ${name} not found.`, 404);
  const { items, marker } = pageOf(query, found);
  return {
    OptionGroupsList: list(
      'OptionGroup',
      items.map((one) => xml(call, one)),
    ),
    Marker: marker,
  };
}

function xml({ place, region }: Call, { name, majorVersion, description }: OptionGroup): Xml {
  return {
    OptionGroupName: name,
    OptionGroupDescription: description,
    EngineName: 'postgres',
    MajorEngineVersion: majorVersion,
    Options: list('Option', []),
    AllowsVpcAndNonVpcInstanceMemberships: true,
    OptionGroupArn: arn(place, region, 'og', name),
  };
}
