import type { Extent } from './extent.ts';
import { provesCancels } from './proofs/cancels.ts';
import { provesChoices } from './proofs/choices.ts';
import { provesFailures } from './proofs/failures.ts';
import { provesKills } from './proofs/kills.ts';
import { provesResets } from './proofs/resets.ts';
import { provesStops } from './proofs/stops.ts';
import { provesTerminations } from './proofs/terminations.ts';
import { provesTwice } from './proofs/twice.ts';
import { proving, type Proving } from './proving.ts';
import type { Subject } from './stage.ts';

/**
 * All proofs but those that need a Temporal server of their own: whatever happens at any step, each effect is made once, and what is taken
 * back is as it was before, object by object. Returns what a runbook’s own proofs are written with.
 */
export function prove(subject: Subject, extent: Extent): Proving {
  const one = proving(subject, extent);
  provesTwice(one);
  provesFailures(one);
  provesCancels(one);
  provesChoices(one);
  provesResets(one);
  provesKills(one);
  provesStops(one);
  provesTerminations(one);
  return one;
}
