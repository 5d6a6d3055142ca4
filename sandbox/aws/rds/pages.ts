import { AwsError } from '../aws-error.ts';
import type { Query } from '../query.ts';

/** One page of what was found: `MaxRecords` (20–100, default 100) after `Marker`; the marker of the next page, if there is one. */
export function pageOf<Item>(query: Query, items: readonly Item[]): { items: readonly Item[]; marker: string | undefined } {
  const size = query.whole('MaxRecords') ?? 100;
  if (size < 20 || size > 100)
    throw new AwsError('InvalidParameterValue', `Invalid value ${size} for MaxRecords. Must be between 20 and 100`);
  const marker = query.text('Marker');
  const from = marker === undefined ? 0 : Number(Buffer.from(marker, 'base64url').toString());
  if (!Number.isInteger(from)) throw new AwsError('InvalidParameterValue', 'The specified marker is invalid');
  const next = from + size < items.length ? Buffer.from(String(from + size)).toString('base64url') : undefined;
  return { items: items.slice(from, from + size), marker: next };
}

/** Whether something passes the request's filters, by the values that it has under each filter's name. */
export function passes(query: Query, values: Readonly<Record<string, readonly (string | undefined)[]>>): boolean {
  return query.items('Filters').every((filter) => {
    const name = filter.required('Name');
    const has = values[name];
    if (!has) throw new AwsError('InvalidParameterValue', `Unrecognized filter name: ${name}`);
    return (filter.texts('Values') ?? []).some((wanted) => has.includes(wanted));
  });
}
