import { Failure } from '../../../domain/failure.ts';

const form = /^(?<date>\d{4}-\d{2}-(?<day>\d{2}))[T ]\d{2}:\d{2}(?::\d{2}(?<fraction>\.\d+)?)?(?<zone>Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * The moment that a person wrote, in UTC: `2026-11-21T18:04:05Z` or with an offset, in whole seconds. Raises `input-invalid` for one
 * without a zone, with parts of a second, that is none, or that is still to come at `now`.
 */
export function momentOf(text: string, now: Date): Date {
  const match = form.exec(text.trim());
  const moment = new Date(text.trim());
  // JavaScript takes 31 February for 3 March.
  const real = match?.groups && new Date(`${match.groups['date']}T00:00:00Z`).getUTCDate() === Number(match.groups['day']);
  if (!match || !real || Number.isNaN(moment.getTime())) throw refused(text, 'it is no date and time such as 2026-11-21T18:04:05Z');
  if (match.groups?.['zone'] === undefined) throw refused(text, 'it has no time zone; add Z for UTC or an offset such as +01:00');
  if (match.groups['fraction'] !== undefined && moment.getMilliseconds() !== 0) throw refused(text, 'RDS restores to whole seconds');
  if (moment > now) throw refused(text, `it is still to come; now it is ${now.toISOString()}`);
  return moment;
}

const refused = (text: string, because: string): Failure =>
  new Failure('input-invalid', `the moment "${text}" cannot be restored: ${because}`, { moment: text });
