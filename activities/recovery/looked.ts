import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { Recovery, VerificationFinding } from './contract.ts';
import type { FactsOfVerification } from './facts.ts';
import type { Places } from './places.ts';

export interface Verifying extends Places {
  readonly recovery: Recovery;
  readonly facts: FactsOfVerification['binding']['verification'];
}

/** What a tier found: nothing for one that passed. */
export interface Looked {
  readonly checked: number;
  readonly findings: readonly Omit<VerificationFinding, 'tier'>[];
  /** Set when it could not be made; with `checked`, what was left out. */
  readonly because?: string;
  readonly notMade?: boolean;
}

/** What says nothing of the question: the way to the server, other sessions, a person who stops it. */
const noAnswer = new Set<FailureCode>(['unreachable', 'source-busy', 'statement-cancelled']);

/** A question that a server refuses is an answer, too; one that nobody answers is not. */
export async function answered<Row>(ask: () => Promise<Row[]>): Promise<Row[] | Failure> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Failure) || noAnswer.has(error.code)) throw error;
    return error;
  }
}
