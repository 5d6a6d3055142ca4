import { beforeEach, expect, test } from 'vitest';
import { admit } from '../../../activities/engine/admit.ts';
import type { Control, NewRequest, Request } from '../../../control/contract.ts';
import { parseInventory } from '../../../domain/inventory.ts';
import { catalog } from '../../../workflows/catalog.ts';
import { controlPlace, failureOf, newRequest } from '../../control/support.ts';
import { createJournal } from '../../support/attempt.ts';

const place = controlPlace();
let control: Control;
beforeEach(async () => {
  ({ control } = await place.emptied());
});

const inventory = parseInventory(
  `
version: 1
people: [{ name: anna, groups: [dba] }]
policies: { default: { requesters: [dba], operators: [dba], approvals: { low: auto, medium: auto, high: auto } } }
databases:
  orders: { provider: streaming, owners: dba, server: { host: localhost, dbname: orders, user: steadyhand } }
  orders-18: { provider: streaming, owners: dba, server: { host: localhost, dbname: orders, user: steadyhand } }
`,
  'steadyhand.yaml',
);
const holderOpen = async (): Promise<boolean> => await Promise.resolve(true);

const asked = async (changes: Partial<NewRequest> = {}): Promise<Request> =>
  (await control.requests.create(newRequest({ others: ['orders-18'], ...changes }))).request;

/** Admits the run; `seen` is the control database as it sees it. */
async function admitted({ id, run, runbook, input }: Request, seen: Control): Promise<unknown> {
  const nothing = async (): Promise<never> => await Promise.reject(new Error('nothing is planned here'));
  const dependencies = { control: seen, inventory: () => inventory, catalog, planner: { plan: nothing, preview: nothing }, holderOpen };
  return await admit(dependencies)({ request: id, runbook, input }, createJournal(run).attempt('engine'));
}

/**
 * The control database in the worst case: between a run's look at the line and its look at the lease, whichever comes first, `takes`
 * happens. Looks that are under way together are answered in the order that is worst: the lease before, the line after it.
 */
function betweenLooks(takes: () => Promise<unknown>): Control {
  const { find, line } = control.lease;
  const underWay = new Set<Promise<unknown>>();
  const looked = async <Seen>(look: Promise<Seen>): Promise<Seen> => {
    underWay.add(look);
    return await look.finally(() => underWay.delete(look));
  };
  return {
    ...control,
    lease: {
      ...control.lease,
      find: async (database) => await looked(find(database)),
      line: async (database) => {
        // A look that is begun together with this one is under way when the event loop comes back.
        await new Promise((resolve) => setImmediate(resolve));
        await Promise.all(underWay);
        await takes();
        return await line(database);
      },
    },
  };
}

test('a run that waited and takes the lease while another one is admitted is seen: in the line before, or with the lease after', async () => {
  const waiting = await asked({ waitMs: 3_600_000, others: [] });
  const later = await asked();
  const takes = async (): Promise<unknown> => await control.lease.take('orders', waiting.run, holderOpen);
  const failure = await failureOf('lease-held', admitted(later, betweenLooks(takes)));
  expect(failure.message).toBe(`the lease of orders is held by ${waiting.run}`);
});

test('a run that still waits comes before one that does not; a run alone is admitted', async () => {
  const first = await asked();
  expect(
    await admitted(
      first,
      betweenLooks(async () => await Promise.resolve()),
    ),
  ).toMatchObject({ database: 'orders', requester: 'anna' });
  const waiting = await asked({ waitMs: 3_600_000 });
  const failure = await failureOf('lease-held', admitted(await asked(), control));
  expect(failure.message).toBe(`the turn of ${waiting.run}, which waits for the lease of orders, comes before`);
});
