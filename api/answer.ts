import { wholeRun, type Choice } from '../domain/decision.ts';
import type { TokenKind } from '../domain/token.ts';

/** A person's answer to an open question, or a cancel, by whatever channel. */
export interface Answer {
  readonly approval: string;
  readonly opening: number;
  readonly digest: string;
  readonly choice: Choice;
  readonly reason?: string | undefined;
  readonly person: string;
  readonly kind: TokenKind;
  readonly channel: string;
}

/** A cancel is a decision about the whole run, which is always open. */
export function cancelAnswer(by: Pick<Answer, 'person' | 'kind' | 'channel'> & { reason: string }): Answer {
  return { approval: wholeRun, opening: 0, digest: '', choice: 'cancel', ...by };
}
