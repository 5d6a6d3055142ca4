import { Failure } from '../../domain/failure.ts';
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

/** A question that a server refuses is an answer, too; one that nobody answers is not. */
export async function answered<Row>(ask: () => Promise<Row[]>): Promise<Row[] | Failure> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'unreachable') throw error;
    return error;
  }
}
