// A worker process that tests end or freeze at an exact place of a run: see victim.ts. Reads its order as the first line.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { cutoverActivities } from './cutover/activities.ts';
import { createFaults, type Faults } from './faults.ts';
import { rdsActivities } from './rds/activities.ts';
import { rehearsalActivities } from './rehearsal/activities.ts';
import type { VictimOrder } from './victim.ts';
import { startWorker } from './worker.ts';

const lines = createInterface(process.stdin);
const say = (word: string): void => void process.stdout.write(`${word}\n`);

const [first] = (await once(lines, 'line')) as [string];
// The test wrote it just before: this shape and no other.
const order = JSON.parse(first) as VictimOrder;
const { run, step, point, address, taskQueue, bundle, environment } = order;

let struckAt: string | undefined;
const callOf = ({ info }: Context): string => `${info.activityId} ${info.attempt}`;
const told = createFaults();
void told.set(run, {
  step,
  point,
  strike: async () => {
    struckAt = callOf(Context.current());
    say('struck');
    await once(lines, 'line');
  },
});

/** Tells how the attempt ended that stood there. */
const faults: Faults = {
  ...told,
  interceptor: (context) => {
    const { inbound } = told.interceptor(context);
    return {
      inbound: {
        execute: async (input, next) => {
          const act = async (): Promise<unknown> => (inbound?.execute ? await inbound.execute(input, next) : await next(input));
          try {
            const result = await act();
            if (struckAt === callOf(context)) say('ended ok');
            return result;
          } catch (error) {
            if (struckAt === callOf(context)) say(`ended ${error instanceof ApplicationFailure ? error.type : 'cancelled'}`);
            throw error;
          }
        },
      },
    };
  },
};
const make = { cutover: cutoverActivities, rds: rdsActivities, rehearsal: rehearsalActivities }[order.subject];
const { activities } = await make({ environment, address, faults });
await startWorker({ address, taskQueue, bundle, faults, activities });
say('ready');
