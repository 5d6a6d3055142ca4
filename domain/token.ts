/** Whose a token is: somebody who thinks before they send, or a program that was told to. */
export const tokenKinds = ['person', 'service'] as const;
export type TokenKind = (typeof tokenKinds)[number];

/** What a token may be used for, beside what its person may do: both must allow it. docs/api.md says what each is for. */
export const everyScope = ['read', 'plan', 'start', 'decide', 'lease', 'decode', 'tokens', 'audit'] as const;
export type Scope = (typeof everyScope)[number];

export function isScope(text: string): text is Scope {
  return everyScope.some((one) => one === text);
}
