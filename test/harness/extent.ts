import { isPastNoReturn } from './expectations.ts';
import type { Subject } from './stage.ts';

/** `every`: all cases of a proof. `some`: one of each group, which `npm test` has time for; not always the first step of a kind. */
export type Extent = 'every' | 'some';

/** A case for each group; what is left out is proved by `npm run test:harness`. */
export function oneOfEach<Case>(cases: readonly Case[], groupOf: (one: Case) => string): Case[] {
  const groups = Object.values(Object.groupBy(cases, groupOf));
  return groups.flatMap((group = [], place) => group.slice(place % group.length).slice(0, 1));
}

/** What makes one step another case than the next: its kind, and on which side of the point of no return it stands. */
export function kindOf(subject: Subject, step: string): string {
  const { kind, pointOfNoReturn = false } = subject.runbook.steps[step] ?? {};
  if (pointOfNoReturn) return 'the point of no return';
  return isPastNoReturn(subject, step) ? `${kind}, past it` : `${kind}`;
}
