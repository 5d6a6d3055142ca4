import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../domain/duration.ts';

/** `24h` (ago), `2026-11-21` or `2026-11-21T03:00:00Z` → ISO 8601 in UTC. Throws `InvalidArgumentError`. */
export function momentOf(text: string, now: number): string {
  const ago = parseDuration(text);
  const moment = ago === undefined ? new Date(/^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? text : Number.NaN) : new Date(now - ago);
  if (Number.isNaN(moment.getTime())) throw new InvalidArgumentError('24h, 2026-11-21 or 2026-11-21T03:00:00Z is needed.');
  return moment.toISOString();
}
