import { condition, defineSignal, scheduleActivity, setHandler } from '@temporalio/workflow';

/** One activity as the engine calls a change: the same timeouts, retries and cancellation. */
async function bareStep(place: number): Promise<void> {
  await scheduleActivity('bare.step', [`step-${place}`], {
    startToCloseTimeout: '10m',
    heartbeatTimeout: '3s',
    retry: { initialInterval: '500ms', maximumInterval: '10s', maximumAttempts: 5 },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    summary: `Step ${place}`,
  });
}

export async function bareSteps(count: number): Promise<void> {
  for (let place = 1; place <= count; place += 1) await bareStep(place);
}

const goOn = defineSignal('goOn');

/** Waits for a signal, then does one step. */
export async function bareAsking(): Promise<void> {
  let heard = false;
  setHandler(goOn, () => {
    heard = true;
  });
  await condition(() => heard);
  await bareStep(1);
}
