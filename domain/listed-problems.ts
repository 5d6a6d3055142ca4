import { redactExcerpt } from './redaction.ts';

/** A field that is wrong, and what is wrong with it. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** Fields that are listed, and the characters of a part of a name, of a whole name and of what is wrong. */
const limits = { problems: 20, part: 100, path: 300, message: 500 };

/** The first of the problems, all texts cut: names of fields and what is wrong with them can repeat a client's own text. */
export function listedProblems(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
  nameless: string,
): { readonly problems: readonly FieldProblem[]; readonly text: string } {
  const problems = issues.slice(0, limits.problems).map(({ path, message }) => ({
    path: redactExcerpt(path.map((part) => redactExcerpt(String(part), limits.part)).join('.'), limits.path),
    message: redactExcerpt(message, limits.message),
  }));
  const more = issues.length - problems.length;
  const text = problems.map((one) => `${one.path || nameless}: ${one.message}`).join('; ');
  return { problems, text: more > 0 ? `${text}; and ${more} more` : text };
}
