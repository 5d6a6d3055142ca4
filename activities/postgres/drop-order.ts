/** What has to go before what, roughly: within a kind, and in a circle, the dropping itself finds the order. */
const kinds = [
  'event trigger',
  'materialized view',
  'view',
  'table',
  'foreign table',
  'sequence',
  'aggregate',
  'procedure',
  'function',
  'cast',
  'operator class',
  'operator family',
  'operator',
  'text search configuration',
  'text search dictionary',
  'text search template',
  'text search parser',
  'domain',
  'type',
  'conversion',
  'collation',
  'server',
  'foreign data wrapper',
  'extension',
  'language',
  'schema',
] as const;

/** These go with the table that they hang on. */
const hanging = new Set(['trigger', 'policy', 'rule', 'statistics']);

/** The longest first, so that `materialized view` isn't read as a `view`. */
const byLength = [...kinds, 'partitioned table', ...hanging].toSorted((one, other) => other.length - one.length);

/**
 * The statements that drop these objects (`kind identity`, names quoted), each harmless when its object is gone. Tables are
 * dropped together, since foreign keys can tie them in a circle.
 */
export function dropOrder(objects: readonly string[]): string[] {
  const byKind = new Map<string, string[]>();
  for (const object of objects) {
    const kind = byLength.find((one) => object.startsWith(`${one} `));
    if (kind === undefined) throw new Error(`no way to drop ${object}`);
    const place = kind === 'partitioned table' ? 'table' : kind;
    byKind.set(place, [...(byKind.get(place) ?? []), object.slice(kind.length + 1)]);
  }
  return kinds.flatMap((kind) => {
    // What is named later is likelier to build on what is named before.
    const names = (byKind.get(kind) ?? []).toReversed();
    if (kind === 'table') return names.length === 0 ? [] : [`DROP TABLE IF EXISTS ${names.join(', ')}`];
    return names.map((name) => `DROP ${kind.toUpperCase()} IF EXISTS ${name}`);
  });
}
