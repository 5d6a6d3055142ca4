import { AwsError } from '../aws-error.ts';
import type { Call, Place } from '../place.ts';
import type { Query } from '../query.ts';
import { engineVersion } from '../versions.ts';
import { list, type Xml } from '../xml.ts';
import { knownParameters, type KnownParameter } from './known-parameters.ts';
import type { ParameterGroup } from './model.ts';
import { pageOf } from './pages.ts';
import { changeable, findGroup } from './parameter-groups.ts';

interface Change {
  readonly name: string;
  readonly value: string;
  readonly method: 'immediate' | 'pending-reboot';
}

export async function describeDBParameters(call: Call): Promise<Xml> {
  const { query, place } = call;
  const group = findGroup(call, query.required('DBParameterGroupName'));
  const source = query.text('Source');
  const all = (await knownOf(place, group)).map((known) => ({ known, set: group.parameters[known.name] }));
  const found = all.filter(({ set }) => source === undefined || (set ? 'user' : 'engine-default') === source);
  const { items, marker } = pageOf(query, found);
  const written = items.map(({ known, set }) => ({
    ParameterName: known.name,
    ParameterValue: set?.value,
    Description: known.description,
    Source: set ? 'user' : 'engine-default',
    ApplyType: known.applyType,
    DataType: known.dataType,
    AllowedValues: known.allowed,
    IsModifiable: known.modifiable,
    ApplyMethod: set?.method ?? 'pending-reboot',
  }));
  return { Marker: marker, Parameters: list('Parameter', written) };
}

/** Dynamic ones take effect at once in the instances that have the group, static ones at their next reboot. */
export async function modifyDBParameterGroup(call: Call): Promise<Xml> {
  const group = changeable(call);
  const known = await knownOf(call.place, group);
  const changes = call.query.items('Parameters').map((item) => checked(known, item));
  if (changes.length > 20) throw new AwsError('InvalidParameterValue', 'At most 20 parameters can be modified in one request');
  for (const { name, value, method } of changes) {
    if (group.parameters[name]?.value === value && group.parameters[name]?.method === method) continue;
    group.parameters[name] = { value, method };
    call.place.effect('ModifyDBParameterGroup', call.region, `${group.name}/${name}`);
  }
  await apply(call, group, changes);
  return { DBParameterGroupName: group.name };
}

/** Back to the defaults, of those that are named or of all; in effect after a reboot. */
export function resetDBParameterGroup(call: Call): Xml {
  const group = changeable(call);
  const named = call.query.items('Parameters').map((item) => item.required('ParameterName'));
  for (const name of call.query.flag('ResetAllParameters') === true ? Object.keys(group.parameters) : named) {
    if (group.parameters[name]) call.place.effect('ResetDBParameterGroup', call.region, `${group.name}/${name}`);
    delete group.parameters[name];
  }
  return { DBParameterGroupName: group.name };
}

function knownOf({ engines }: Place, { family }: ParameterGroup): Promise<readonly KnownParameter[]> {
  return knownParameters(engineVersion(engines, family.replace(/^postgres/, '')));
}

/** Those of libraries are not among PostgreSQL's own. */
const ofLibraries = /^(?:cron|pg_stat_statements|auto_explain|pgaudit|pg_hint_plan|plpgsql|apg_plan_mgmt)\./;

function checked(known: readonly KnownParameter[], item: Query): Change {
  const [name, value] = [item.required('ParameterName'), item.required('ParameterValue')];
  const method = item.text('ApplyMethod') === 'immediate' ? 'immediate' : 'pending-reboot';
  const parameter = known.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!parameter) {
    if (ofLibraries.test(name)) return { name, value, method };
    throw new AwsError('InvalidParameterValue', `Could not find parameter with name: ${name}`);
  }
  if (!parameter.modifiable) throw new AwsError('InvalidParameterValue', `The parameter ${name} cannot be modified.`);
  if (parameter.applyType === 'static' && method === 'immediate')
    throw new AwsError('InvalidParameterCombination', `cannot use immediate apply method for static parameter ${name}`);
  if (!fits(parameter, value))
    throw new AwsError('InvalidParameterValue', `Invalid parameter value: ${value} for: ${name} allowed values are: ${parameter.allowed}`);
  return { name, value, method };
}

function fits({ dataType, allowed }: KnownParameter, value: string): boolean {
  if (dataType === 'boolean') return /^(?:0|1|on|off|true|false)$/i.test(value);
  if (dataType === 'string') return allowed?.split(',').includes(value) ?? true;
  const [least, most] =
    /^(-?[\d.e+-]+?)-(-?[\d.e+]+)$/
      .exec(allowed ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  return value !== '' && !Number.isNaN(Number(value)) && Number(value) >= (least ?? -Infinity) && Number(value) <= (most ?? Infinity);
}

async function apply({ rds, place }: Call, group: ParameterGroup, changes: readonly Change[]): Promise<void> {
  const immediate = changes.filter(({ method }) => method === 'immediate');
  if (immediate.length === 0) return;
  const values = Object.fromEntries(immediate.map(({ name, value }) => [name, value]));
  for (const instance of Object.values(rds.instances)) {
    if (instance.parameterGroup !== group.name) continue;
    instance.applied = { ...instance.applied, ...values };
    if (place.servers.runs(instance)) await place.servers.reload(instance);
  }
}
