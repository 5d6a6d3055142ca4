import type { RunChange, StepChange } from './run-change.ts';
import { asJson } from './db.ts';
import { cleaned, engine, eventText, tellingJson } from './event-text.ts';

/** What `steadyhand.change_run` is given after the run: state, failure, steps, event. A change of nothing does nothing. */
export function changeParameters({ state, steps = [], failure }: RunChange): (string | null)[] {
  const text = eventText(engine, { ...(state === undefined ? {} : { state }), ...(failure === undefined ? {} : { failure }) });
  return [state ?? null, failure === undefined ? null : tellingJson(failure), asJson(steps.map(stepParameter)), text];
}

export function stepParameter(change: StepChange): Record<string, unknown> {
  const { id, state, generation, because, by, failure } = change;
  const said = by === undefined ? because : [because, `by ${by}`].filter((part) => part !== undefined).join(', ');
  const data = { step: id, state, generation, because: because ?? null, by: by ?? null, failure: failure ?? null };
  return { id, state, generation, because: cleaned(said), failure: cleaned(failure), event: eventText(engine, data) };
}
