/** What people can say: to an approval, to a step that failed, and to the run at any time. */
export const approvalChoices = ['approve', 'reject', 'withdraw'] as const;
export const parkedChoices = ['retry', 'start-again', 'skip', 'mark-done', 'roll-back', 'abort'] as const;
export type ApprovalChoice = (typeof approvalChoices)[number];
export type ParkedChoice = (typeof parkedChoices)[number];
export type Choice = ApprovalChoice | ParkedChoice | 'cancel';

/** The subject of a cancel: the run itself, which is always open. */
export const wholeRun = 'run';

/**
 * What a person's answer looks like on its way to the workflow. It names no one: person, groups and reason stand in the decision
 * row that the API wrote before. The same shape as an Update (`decide`) and as a Signal (`decided`).
 */
export interface DecisionMessage {
  /** The approval's or failed step's id, or `run` for a cancel. */
  readonly approval: string;
  /** Which asking of it: 1 for the first, one more each time that it is asked again. 0 for a cancel. */
  readonly opening: number;
  /** The digest that the person saw. Empty for a cancel. */
  readonly digest: string;
  readonly choice: Choice;
  readonly decisionId: string;
}

/** An open question of a run, as it is stored, shown and answered. */
export interface Question {
  readonly approval: string;
  readonly opening: number;
  readonly digest: string;
  readonly kind: 'approval' | 'parked';
  readonly choices: readonly Choice[];
  /** ISO time; absent for a parked step, which waits for as long as it takes. */
  readonly deadline?: string;
}

/** Who said it, and why. */
export interface DecidedBy {
  readonly person: string;
  readonly reason?: string;
}

/** "jonas: the month's closing is running". */
export function byText({ person, reason }: DecidedBy): string {
  return reason === undefined ? person : `${person}: ${reason}`;
}

/** What became of one decision. `because` is what the person is told. */
export type Authorisation =
  | {
      readonly counts: true;
      readonly settled: Choice | null;
      readonly by: DecidedBy;
      readonly because: string;
      /** The record has the approval as given already, lease and plan were looked at after it: the run was reset, or lost that with a worker. */
      readonly given?: true;
    }
  | { readonly counts: false; readonly because: string };
