/** The superusers of a before-image. */
export function superusersOf(before: Readonly<Record<string, unknown>> | null): string[] {
  const names = before?.superusers;
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}
