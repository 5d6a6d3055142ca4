import { z } from 'zod';
import { name } from './name.ts';

/** Where something is wrong in the inventory, and what. */
export type Misfit = readonly [path: PropertyKey[], message: string];

/** The quorum's name for the group that a database names as its owners. */
export const ownersGroup = 'owners';

const text = z.string().catch('');

const accounts = z.record(z.string(), z.array(text).catch([])).catch({});

/** What can be read of an inventory, whatever else is wrong with it. */
const sketch = z
  .object({
    people: z
      .array(z.object({ name: text, groups: z.array(text).catch([]), accounts }).catch({ name: '', groups: [], accounts: {} }))
      .catch([]),
    databases: z
      .record(
        z.string(),
        z
          .object({ owners: text, policy: z.string().default('default').catch(''), provider: text, rds: z.unknown().optional() })
          .catch({ owners: '', policy: '', provider: '', rds: undefined }),
      )
      .catch({}),
    policies: z.record(z.string(), z.unknown()).catch({}),
  })
  .catch({ people: [], databases: {}, policies: {} });

type Sketch = z.infer<typeof sketch>;

/**
 * What doesn't fit together: people that are there twice, names that are none, policies and groups that don't exist. Told beside
 * the problems of the form; groups only when the people's own are known for sure.
 */
export function crossCheck(written: unknown, form: readonly Misfit[]): Misfit[] {
  const read = sketch.parse(written);
  const problems = [...twice(read), ...sharedAccounts(read), ...misnamed(read), ...withoutPolicy(read), ...otherProviders(read)];
  return form.some(([path]) => blursGroups(path)) ? problems : [...problems, ...withoutPeople(read)];
}

function blursGroups([first, , third, ...rest]: PropertyKey[]): boolean {
  return first === 'people' && rest.length <= 1 && (third === undefined || third === 'groups');
}

function twice({ people }: Sketch): Misfit[] {
  const seen = new Set<string>();
  return people.flatMap((one, index): Misfit[] => {
    const known = one.name !== '' && seen.has(one.name);
    seen.add(one.name);
    return known ? [[['people', index, 'name'], `"${one.name}" is there twice`]] : [];
  });
}

/** An account is of one person, by whatever channel, and nobody else's name: else one human could answer as two. */
function sharedAccounts({ people }: Sketch): Misfit[] {
  const owner = new Map(people.map((one) => [one.name, one.name]));
  return people.flatMap((one, index) =>
    Object.entries(one.accounts).flatMap(([channel, list]) =>
      list.flatMap((account): Misfit[] => {
        const other = owner.get(account) ?? one.name;
        owner.set(account, other);
        return other === one.name ? [] : [[['people', index, 'accounts', channel], `"${account}" is ${other} already`]];
      }),
    ),
  );
}

function misnamed({ databases, policies }: Sketch): Misfit[] {
  return Object.entries({ databases, policies }).flatMap(([list, entries]) =>
    Object.keys(entries).flatMap((called) =>
      (name.safeParse(called).error?.issues ?? []).map((issue): Misfit => [[list, called], issue.message]),
    ),
  );
}

/** What says where an instance is stands with the provider of that name, and only there. */
function otherProviders({ databases }: Sketch): Misfit[] {
  return Object.entries(databases).flatMap(([called, { provider, rds }]): Misfit[] => {
    if (provider === 'rds' && rds === undefined)
      return [[['databases', called], 'with the provider rds it says under `rds` where the instance is']];
    return provider === 'streaming' && rds !== undefined ? [[['databases', called, 'rds'], 'this is of the provider rds only']] : [];
  });
}

function withoutPolicy({ databases, policies }: Sketch): Misfit[] {
  return Object.entries(databases).flatMap(([called, { policy }]): Misfit[] =>
    policy === '' || Object.hasOwn(policies, policy) ? [] : [[['databases', called, 'policy'], `there is no policy "${policy}"`]],
  );
}

function withoutPeople({ people, databases, policies }: Sketch): Misfit[] {
  const groups = new Set(people.flatMap((one) => one.groups));
  const owners = Object.entries(databases).map(([called, entry]): Misfit => [['databases', called, 'owners'], entry.owners]);
  const named = groupsNamed(['policies'], policies).filter(([, called]) => called !== ownersGroup);
  return [...owners, ...named]
    .filter(([, called]) => called !== '' && !groups.has(called))
    .map(([path, called]) => [path, `nobody is in the group "${called}"`]);
}

const listsOfGroups: readonly string[] = ['requesters', 'operators', 'to', 'groups'];

/** Every group that a policy names, with where it does. */
function groupsNamed(path: PropertyKey[], value: unknown): Misfit[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]): Misfit[] => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    const isGroup = key === 'group' || (Array.isArray(value) && listsOfGroups.includes(String(path.at(-1))));
    return isGroup && typeof one === 'string' ? [[at, one]] : groupsNamed(at, one);
  });
}
