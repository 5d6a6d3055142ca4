import { Failure } from '../../domain/failure.ts';
import type { Before } from '../../domain/step.ts';
import type { Attempt } from '../attempt.ts';

/** What a look at the world tells about an effect. */
export type Observation<Result> =
  | { readonly state: 'absent'; readonly before?: Before }
  /** It is there and ours. */
  | { readonly state: 'there'; readonly result: Result }
  /** Ours, and still on its way: act no more, look again. */
  | { readonly state: 'coming' }
  | { readonly state: 'foreign'; readonly what: string }
  | { readonly state: 'drifted'; readonly what: string }
  | { readonly state: 'uncertain'; readonly what: string };

export interface Effect<Result> {
  /** Looks, without changing anything. Called before and after `act`, by every attempt. */
  observe(): Promise<Observation<Result>>;
  /** Makes the effect under a name that only this run uses. `before` is the first attempt's before-image. */
  act(before: Before): Promise<void>;
  /** How long to look until it is there, in milliseconds; 30 s when absent. */
  readonly settleWithin?: number;
}

const lookAgainMs = 250;

/**
 * Makes an effect happen once, however often it is called: look; write the intent; act; look until it is there; write the
 * outcome. A retry begins with looking and adopts what an earlier attempt made. Raises `foreign-object` when the name is taken
 * by something that is not ours, `drift` when ours was changed, `uncertain` when nobody can tell, and `superseded` when a newer
 * attempt is at work.
 */
export async function ensure<Result>(attempt: Attempt, effect: Effect<Result>): Promise<Result> {
  const first = await effect.observe();
  if (first.state === 'there') {
    await attempt.intend({});
    await attempt.settle('adopted');
    return first.result;
  }
  refuse(first);
  const before = await attempt.intend(first.state === 'absent' ? (first.before ?? {}) : {});
  if (first.state === 'absent') {
    // No need to ask once more whether the attempt is the newest: the intent was written only because it is.
    await effect.act(before);
  }
  const result = await settled(attempt, effect);
  await attempt.settle('made');
  return result;
}

async function settled<Result>(attempt: Attempt, effect: Effect<Result>): Promise<Result> {
  const deadline = Date.now() + (effect.settleWithin ?? 30_000);
  for (;;) {
    attempt.signal.throwIfAborted();
    const seen = await effect.observe();
    if (seen.state === 'there') return seen.result;
    refuse(seen);
    if (Date.now() > deadline) {
      throw new Failure('uncertain', `${attempt.step}: the effect was asked for and could not be seen in time`, { key: attempt.key });
    }
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}

function refuse(seen: Observation<unknown>): void {
  if (seen.state === 'foreign') throw new Failure('foreign-object', seen.what);
  if (seen.state === 'drifted') throw new Failure('drift', seen.what);
  if (seen.state === 'uncertain') throw new Failure('uncertain', seen.what);
}
