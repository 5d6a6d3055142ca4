import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import type { Query } from '../query.ts';
import { list, type Xml } from '../xml.ts';
import { instanceOf, snapshotOf } from './names.ts';
import type { Tag } from './model.ts';

/** The tags that a request brings; undefined when it brings none. */
export function tagsOf(query: Query): Tag[] {
  const tags = query.items('Tags').map((item) => ({ key: item.required('Key'), value: item.text('Value') ?? '' }));
  for (const { key } of tags)
    if (key.startsWith('aws:')) throw new AwsError('InvalidParameterValue', 'Tag keys starting with aws: are reserved for system use');
  return tags;
}

export function tagList(tags: readonly Tag[]): Xml {
  return list(
    'Tag',
    tags.map(({ key, value }) => ({ Key: key, Value: value })),
  );
}

export function listTagsForResource(call: Call): Xml {
  return { TagList: tagList(tagged(call, call.query.required('ResourceName')).tags) };
}

/** The same tags again are no effect. */
export function addTagsToResource(call: Call): undefined {
  const name = call.query.required('ResourceName');
  const resource = tagged(call, name);
  for (const tag of tagsOf(call.query)) {
    if (resource.tags.some(({ key, value }) => key === tag.key && value === tag.value)) continue;
    resource.tags = [...resource.tags.filter(({ key }) => key !== tag.key), tag];
    call.place.effect('AddTagsToResource', call.region, name);
  }
}

export function removeTagsFromResource(call: Call): undefined {
  const name = call.query.required('ResourceName');
  const resource = tagged(call, name);
  const keys = call.query.texts('TagKeys') ?? [];
  const kept = resource.tags.filter(({ key }) => !keys.includes(key));
  if (kept.length < resource.tags.length) call.place.effect('RemoveTagsFromResource', call.region, name);
  resource.tags = kept;
}

function tagged({ rds, region, place }: Call, name: string): { tags: Tag[] } {
  const [, , service, where, account, kind, ...rest] = name.split(':');
  const id = rest.join(':');
  if (service !== 'rds' || where !== region || account !== place.state.account)
    throw new AwsError('InvalidParameterValue', `Invalid resource name: ${name}`);
  if (kind === 'db') return instanceOf(rds, id);
  if (kind === 'snapshot') return snapshotOf(rds, id);
  const named = { pg: rds.parameterGroups, subgrp: rds.subnetGroups, og: rds.optionGroups }[kind ?? '']?.[id];
  if (!named) throw new AwsError('InvalidParameterValue', `The resource ${name} was not found.`);
  return named;
}
