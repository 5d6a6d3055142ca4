import {
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  type CreateDBInstanceCommandInput,
  type DBInstance,
} from '@aws-sdk/client-rds';
import { ulid } from 'ulid';
import type { RdsOrders } from '../../sandbox/rds-orders.ts';
import { eventually } from '../support/eventually.ts';
import type { RdsPlace } from './rds-place.ts';

export const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

export async function instanceOf({ client }: RdsOrders, id: string): Promise<DBInstance | undefined> {
  const { DBInstances: all = [] } = await client().send(new DescribeDBInstancesCommand({}));
  return all.find((one) => one.DBInstanceIdentifier === id);
}

/** An instance as a switch-over leaves it, by its name and its tags. Answers its name. */
export async function makeOld(
  orders: RdsOrders,
  { due = dayIn(0), database = 'orders-aws' } = {},
  input: Partial<CreateDBInstanceCommandInput> = {},
): Promise<string> {
  const run = `pitr-restore/${database}/${ulid()}`;
  const id = `orders-old-${run.slice(-26).toLowerCase()}`;
  const tags = { 'steadyhand-run': run, 'steadyhand-key': `${run}/put-aside/1`, 'steadyhand:remove-after': due };
  const made = {
    ...{ DBInstanceIdentifier: id, Engine: 'postgres', EngineVersion: '16', DBInstanceClass: 'db.t4g.micro', AllocatedStorage: 20 },
    ...{ MasterUsername: 'owner', MasterUserPassword: 'correct-horse-battery', BackupRetentionPeriod: 7 },
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
  await orders.client().send(new CreateDBInstanceCommand({ ...made, ...input }));
  await eventually(async () => (await instanceOf(orders, id))?.DBInstanceStatus === 'available' || undefined, 60_000);
  return id;
}

/** At a high risk the sandbox's policy asks a DBA and an owner. */
export async function bothAgree({ agree, decide }: Pick<RdsPlace, 'agree' | 'decide'>, run: string): Promise<void> {
  await agree(run);
  await decide(run, 'linus', 'approve');
}
