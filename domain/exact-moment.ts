/** Microseconds since 1970 of a moment in ISO 8601 with a zone: JavaScript's own end at milliseconds. */
export function microsecondsOf(moment: string): bigint {
  const fraction = /\.(\d+)/.exec(moment)?.[1] ?? '';
  const whole = Date.parse(moment.replace(/\.\d+/, ''));
  return BigInt(whole) * 1_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

/** The other way: ISO 8601 in UTC with six digits. */
export function exactMoment(microseconds: bigint): string {
  const rest = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const whole = new Date(Number((microseconds - rest) / 1_000n)).toISOString().slice(0, 19);
  return `${whole}.${String(rest).padStart(6, '0')}Z`;
}
