import type { RunRecord } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import { breakGlassOf } from '../domain/break-glass.ts';
import type { TokenKind } from '../domain/token.ts';
import type { ApiParts } from './parts.ts';
import { requireGlassBreaker } from './require-glass-breaker.ts';
import { requireGroup } from './require-group.ts';

/** Who says it, and why. */
export interface Word {
  readonly person: string;
  readonly kind: TokenKind;
  readonly channel: string;
  readonly reason: string;
}

/**
 * Lets a run that is under way pass freezes and the policy's quorum. It takes another person than the requester, so that two agree.
 * Saying it again is harmless. Throws `forbidden`, and `conflict` when the run is closed.
 */
export async function breakGlass({ control, inventory }: ApiParts, run: RunRecord, word: Word): Promise<void> {
  requireGlassBreaker(inventory(), run.database, word);
  if (word.person === run.requester) {
    throw new Failure('forbidden', `${word.person} asked for the run: the glass of a run that is under way is broken by somebody else`);
  }
  const by = { kind: word.kind, name: word.person, channel: word.channel };
  await control.runs.breakGlass(run.run, by, word.reason, breakGlassOf(inventory(), run.database).quorum);
}

/** Somebody has looked at what was done in the emergency. Throws `forbidden`, and `conflict` when there is nothing to review. */
export async function review({ control, inventory }: ApiParts, run: RunRecord, { person, kind, channel, reason }: Word): Promise<void> {
  requireGroup(inventory(), run.database, person, 'operators', `review runs of "${run.database}"`);
  if (kind === 'service') throw new Failure('forbidden', 'a service’s token can not review a run: a person does', { person });
  if (person === run.requester || person === run.breakGlass?.person) {
    throw new Failure(
      'forbidden',
      `${person} ${person === run.requester ? 'asked for the run' : 'broke the glass'}: somebody else reviews it`,
    );
  }
  await control.runs.review(run.run, { kind, name: person, channel }, reason);
}
