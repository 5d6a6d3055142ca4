import type { CallRecord } from '../../sandbox/aws/calls.ts';
import { seconds } from '../../sandbox/aws/rds/durations.ts';
import { summary } from '../frame/report.ts';

/** From the first to the last moment of what is timed, in milliseconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface Scale {
  /** How many times faster than AWS the stand-in is. */
  readonly factor: number;
  /** Milliseconds between two looks at AWS; they are compressed like everything that AWS does. */
  readonly paceMs: number;
}

export interface Timing {
  readonly wholeMs: number;
  /** Looks at what AWS was asked for, until it is seen to be done. */
  readonly polls: number;
  /** Calls besides: what changes something, and what looks at something else. */
  readonly otherCalls: number;
  readonly wholeAtAwsMs: number;
  readonly pollsAtAws: number;
}

interface Wait {
  /** What AWS takes. */
  readonly awsMs: number;
  /** From the call until a look saw that it was done. */
  readonly tookMs: number;
  /** Milliseconds before each look: since the call, or the look before it. */
  readonly gaps: readonly number[];
}

/** What AWS takes to answer a call, next to which the stand-in's answer is none. */
const answerAtAwsMs = 100;

/**
 * What a stretch of calls at the stand-in would take at AWS. While AWS works nothing else counts: from each call that changes
 * something until a look sees it done, the time is what AWS takes for it, and half the time between two looks, since on average
 * the end falls in the middle of them. Everything else stays as it was measured, with the time that AWS takes to answer.
 */
export function timingOf(calls: readonly CallRecord[], { from, to }: Stretch, { factor, paceMs }: Scale): Timing {
  const within = calls.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) <= to);
  const waits = within.flatMap((call) => waitOf(within, call, factor));
  const regular = waits.flatMap(({ gaps }) => gaps.filter((gap) => gap > paceMs / factor / 2));
  // What a look itself takes is no shorter for the compression.
  const intervalMs = paceMs + Math.max(0, summary(regular).median - paceMs / factor);
  const polls = total(waits.map(({ gaps }) => gaps.length));
  const otherCalls = within.length - polls;
  const ownMs = to - from - total(waits.map(({ tookMs }) => tookMs));
  return {
    wholeMs: to - from,
    polls,
    otherCalls,
    wholeAtAwsMs: ownMs + otherCalls * answerAtAwsMs + total(waits.map(({ awsMs }) => awsMs + intervalMs / 2)),
    pollsAtAws: polls - regular.length + total(waits.map(({ awsMs }) => awsMs / intervalMs + 0.5)),
  };
}

function waitOf(calls: readonly CallRecord[], call: CallRecord, factor: number): Wait[] {
  const awsMs = awsMsOf(call);
  if (awsMs === 0) return [];
  const begun = Date.parse(call.at);
  const looks = calls.flatMap((one) => (isLook(one) && Date.parse(one.at) >= begun ? [Date.parse(one.at)] : []));
  const seen = looks.findIndex((at) => at >= begun + awsMs / factor);
  if (seen === -1) throw new Error(`nobody looked whether ${call.action} was done`);
  const counted = looks.slice(0, seen + 1);
  const gaps = counted.map((at, index) => at - (counted[index - 1] ?? begun));
  return [{ awsMs, gaps, tookMs: total(gaps) }];
}

const isLook = ({ action }: CallRecord): boolean => action === 'DescribeDBInstances' || action === 'DescribeDBSnapshots';

/** A restored instance that keeps backups begins with one. */
const atAws: Readonly<Record<string, number>> = {
  RestoreDBInstanceToPointInTime: seconds.restoreToPointInTime + seconds.backingUp,
  RestoreDBInstanceFromDBSnapshot: seconds.restoreFromSnapshot + seconds.backingUp,
  CopyDBSnapshot: seconds.copyAcrossRegions,
  DeleteDBInstance: seconds.delete,
};

function awsMsOf({ action, status, parameters }: CallRecord): number {
  if (status !== 200) return 0;
  if (action === 'ModifyDBInstance') return 'MasterUserPassword' in parameters ? (seconds.passwordPending + seconds.password) * 1_000 : 0;
  return (atAws[action] ?? 0) * 1_000;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
