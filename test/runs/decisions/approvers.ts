/** `count` people, whose names say the groups that they are in: ten to a group, as many as a line of a quorum takes. */
export const approvers = (count: number): { readonly name: string; readonly groups: [string] }[] =>
  Array.from({ length: count }, (_, index) => ({ name: `approver-${index + 1}`, groups: [`team-${Math.floor(index / 10) + 1}`] }));

/** An inventory file (JSON is YAML) by which a run of high risk needs the approval of all of them. `people` is a multiple of ten. */
export function decidedByAll(people: ReturnType<typeof approvers>): string {
  const teams = [...new Set(people.flatMap(({ groups }) => groups))];
  const quorum = teams.map((group) => ({ group, count: 10 }));
  return JSON.stringify({
    version: 1,
    people: [{ name: 'ada', groups: ['on-call'] }, ...people],
    policies: {
      default: {
        requesters: ['on-call'],
        operators: ['on-call'],
        approvals: { low: 'auto', medium: 'auto', high: { quorum, deadline: '1h' } },
      },
    },
    databases: {
      orders: { provider: 'streaming', owners: 'on-call', server: { host: 'localhost', dbname: 'orders', user: 'steadyhand' } },
    },
  });
}
