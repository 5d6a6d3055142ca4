import type { Place } from '../place.ts';
import type { Instance, ParameterGroup } from './model.ts';

/** What the parameters of a group are; nobody can change the default groups, so they are empty and need not be there. */
export function valuesOf(group: ParameterGroup | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(group?.parameters ?? {}).map(([name, { value }]) => [name, value]));
}

/** The parameters that the instance will have after its next start. */
export function wantedParameters(place: Place, { region, parameterGroup }: Instance): Record<string, string> {
  return valuesOf(place.state.rds[region]?.parameterGroups[parameterGroup]);
}

export function parameterStatus(place: Place, instance: Instance): 'in-sync' | 'pending-reboot' {
  const wanted = wantedParameters(place, instance);
  const names = new Set([...Object.keys(wanted), ...Object.keys(instance.applied)]);
  return [...names].every((name) => wanted[name] === instance.applied[name]) ? 'in-sync' : 'pending-reboot';
}
