import { parseInventory } from '../../domain/inventory.ts';

/** Who asks and who agrees in the bench. */
export const inventory = parseInventory(
  `
version: 1
people:
  - { name: ada, groups: [on-call] }
  - { name: grace, groups: [dba] }
policies:
  default:
    requesters: [on-call]
    operators: [dba]
    approvals: { low: auto, medium: { quorum: [{ group: dba }] }, high: { quorum: [{ group: dba }] } }
databases:
  orders: { provider: streaming, owners: dba, server: { host: localhost, dbname: orders, user: steadyhand } }
`,
  'bench',
);
