import type { RestoreFacts } from '../../activities/recovery/take-restore-facts.ts';

/** For the approver: which moment was found, by what, and what it costs; nothing when people named it themselves. */
export function foundNotes({ binding: { found }, observed }: Pick<RestoreFacts, 'binding' | 'observed'>): string[] {
  if (!found) return [];
  const { table, what } = found.accident;
  const { lastCommit = null, perSecond = null, counted = null, others = [] } = observed.found ?? {};
  const how = found.statement === null ? 'by the time of its commit' : `by the server's log: ${found.statement}`;
  return [
    `${found.moment} is the last whole second before ${table.schema}.${table.name} was ${words[what]}, at ${found.removedAt}; found ${how}`,
    ...(lastCommit === null ? [] : [`the last commit before it was at ${lastCommit}; what came after ${found.moment} does not come back`]),
    perSecond === null ? 'what a second costs nothing tells here' : `a second costs about ${perSecond} ${counted ?? 'rows'}`,
    ...others.map((one) => `another statement of that kind, which is not meant: ${one}`),
  ];
}

const words = { dropped: 'dropped', truncated: 'truncated', deleted: 'deleted from' } as const;
