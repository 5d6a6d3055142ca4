import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../domain/duration.ts';

/** `24h` (ago), `2026-11-21` or `2026-11-21T03:00:00Z` → ISO 8601 in UTC. Throws `InvalidArgumentError`. */
export function momentOf(text: string, now: number): string {
  const ago = parseDuration(text);
  const moment = ago === undefined ? new Date(/^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? text : Number.NaN) : new Date(now - ago);
  if (Number.isNaN(moment.getTime())) throw new InvalidArgumentError('24h, 2026-11-21 or 2026-11-21T03:00:00Z is needed.');
  return moment.toISOString();
}

/** The same for a time to come: `24h` is from now on. Throws `InvalidArgumentError`, also for a time that is over. */
export function momentToCome(text: string, now: number): string {
  const ahead = parseDuration(text);
  const moment = ahead === undefined ? momentOf(text, now) : new Date(now + ahead).toISOString();
  if (Date.parse(moment) <= now) throw new InvalidArgumentError('that time is over already.');
  return moment;
}
