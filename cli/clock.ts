/** The time of day, with the day when it is another one: `15:22Z`, `2026-11-22 15:22Z`. */
export function clock(time: string, now: number): string {
  const today = new Date(now).toISOString().slice(0, 10);
  return `${time.startsWith(today) ? '' : `${time.slice(0, 10)} `}${time.slice(11, 16)}Z`;
}
