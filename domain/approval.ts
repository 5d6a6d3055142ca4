import type { Choice } from './decision.ts';
import type { ApprovalRule } from './inventory.ts';

/** How many people of which group must agree. All lines must be filled, and one person fills at most one place. */
export interface QuorumLine {
  readonly group: string;
  readonly count: number;
  /** Groups whose people may fill it as well. */
  readonly or?: readonly string[];
}

/** What happens unless the question is settled by then: people are reminded or, with a quorum, that one holds from then on. */
export interface Nudge {
  /** ISO time. */
  readonly at: string;
  readonly quorum?: readonly QuorumLine[];
  /** When it happened. */
  readonly done: string | null;
}

export interface Agreement {
  readonly person: string;
  readonly groups: readonly string[];
  readonly choice: Choice;
}

/**
 * Whether the decisions that count settle an approval: the first reject does, approvals do when every line of the quorum is
 * filled by different people. A person who stands in two groups is placed where it helps most.
 */
export function settle(quorum: readonly QuorumLine[], agreements: readonly Agreement[]): 'approve' | 'reject' | null {
  if (agreements.some((one) => one.choice === 'reject')) return 'reject';
  return quorum.length > 0 && stillNeeded(quorum, agreements).length === 0 ? 'approve' : null;
}

/** Whether somebody of these groups can stand for the line. */
export function mayFill({ group, or = [] }: QuorumLine, groups: readonly string[]): boolean {
  return [group, ...or].some((one) => groups.includes(one));
}

/** The places of the quorum that nobody fills yet. A person in two groups fills the one that helps most. */
export function stillNeeded(quorum: readonly QuorumLine[], agreements: readonly Agreement[]): QuorumLine[] {
  const rejected = agreements.some((one) => one.choice === 'reject');
  const approvals = agreements.filter((one) => one.choice === 'approve' && !rejected);
  const people = new Map(approvals.map((one) => [one.person, one.groups]));
  const seats = new Map<string, QuorumLine>();
  return quorum.flatMap((line) => {
    let filled = 0;
    // Where one place of a line finds nobody, its next place finds nobody either.
    while (filled < line.count && seat(line, people, seats, new Set())) filled += 1;
    return filled < line.count ? [{ ...line, count: line.count - filled }] : [];
  });
}

/**
 * Bipartite matching by augmenting paths: finds somebody for one more place of the line, who may give up a place that another person
 * fills. Nobody who has a place loses it. People without a place come first: else each place would move all those before it.
 */
function seat(
  line: QuorumLine,
  people: ReadonlyMap<string, readonly string[]>,
  seats: Map<string, QuorumLine>,
  tried: Set<string>,
): boolean {
  const able = [...people].flatMap(([person, groups]) => (!tried.has(person) && mayFill(line, groups) ? [person] : []));
  const free = able.find((person) => !seats.has(person));
  if (free !== undefined) {
    seats.set(free, line);
    return true;
  }
  for (const person of able) {
    const left = seats.get(person);
    if (tried.has(person) || left === undefined) continue;
    tried.add(person);
    if (!seat(left, people, seats, tried)) continue;
    seats.set(person, line);
    return true;
  }
  return false;
}

/** "1 of owners (lena, omar)": what is missing, with the people who could say it. */
export function neededText(missing: readonly QuorumLine[], peopleOf: (line: QuorumLine) => readonly string[]): string {
  return missing.map((line) => `${quorumText([line])} (${peopleOf(line).join(', ') || 'nobody is there'})`).join(' and ');
}

/** "1 of dba and 1 of owners or oncall". */
export function quorumText(quorum: readonly QuorumLine[]): string {
  return quorum.map(({ count, group, or = [] }) => `${count} of ${[group, ...or].join(' or ')}`).join(' and ');
}

/**
 * The rule's reminders and escalations in order of time, for a question that is opened at this moment. A step of the escalation
 * builds on those before it: `to` lets further groups fill every place, `quorum` is asked instead of what was.
 */
export function chainOf(rule: Exclude<ApprovalRule, 'auto'>, openedAt: number): Nudge[] {
  const at = (after: number): string => new Date(openedAt + after).toISOString();
  let { quorum }: { quorum: readonly QuorumLine[] } = rule;
  const escalations = rule.escalate
    .toSorted((one, other) => one.after - other.after)
    .map(({ after, to, quorum: instead }) => {
      quorum = instead ?? quorum.map((line) => ({ ...line, or: [...new Set([...(line.or ?? []), ...(to ?? [])])] }));
      return { at: at(after), quorum, done: null };
    });
  const reminders = rule.remind.map((after): Nudge => ({ at: at(after), done: null }));
  return [...reminders, ...escalations].toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
}
