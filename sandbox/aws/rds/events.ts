import type { Call, Place } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import type { RdsEvent } from './model.ts';
import { arn } from './names.ts';

const kept = 500;

/** Notes what AWS would have told. */
export function note(place: Place, region: string, event: Omit<RdsEvent, 'at'>): void {
  const rds = place.state.rds[region];
  if (rds) rds.events = [...rds.events, { ...event, at: new Date().toISOString() }].slice(-kept);
}

export function noteInstance(place: Place, region: string, source: string, message: string, category: string): void {
  note(place, region, { source, sourceType: 'db-instance', message, categories: [category] });
}

/** Of the last hour, unless times or a duration in minutes are given. */
export function describeEvents({ place, region, rds, query }: Call): Xml {
  const minutes = query.whole('Duration') ?? 60;
  const from = query.time('StartTime') ?? new Date(Date.now() - minutes * 60_000);
  const to = query.time('EndTime') ?? new Date();
  const [source, type, categories] = [query.text('SourceIdentifier'), query.text('SourceType'), query.texts('EventCategories')];
  const found = rds.events.filter(
    (event) =>
      new Date(event.at) >= from &&
      new Date(event.at) <= to &&
      (source === undefined || event.source === source) &&
      (type === undefined || event.sourceType === type) &&
      (categories === undefined || event.categories.some((one) => categories.includes(one))),
  );
  return {
    Events: list(
      'Event',
      found.map((event) => ({
        SourceIdentifier: event.source,
        SourceType: event.sourceType,
        Message: event.message,
        EventCategories: list('EventCategory', event.categories),
        Date: new Date(event.at),
        SourceArn: arn(place, region, event.sourceType === 'db-snapshot' ? 'snapshot' : 'db', event.source),
      })),
    ),
  };
}
