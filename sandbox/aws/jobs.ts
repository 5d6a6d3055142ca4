import { setTimeout as wait } from 'node:timers/promises';
import type { Job, Jobs } from './job.ts';
import type { Place } from './place.ts';

const lookAgainMs = 50;

export interface Phase {
  /** Seconds at AWS; the phase never ends before, and later if its work takes longer. */
  readonly lasts: number;
  /** What is seen from the beginning of the phase on. */
  readonly begin?: () => void;
  /** The phase does not begin while this is true. */
  readonly waits?: () => boolean;
  /** What is really done; it must be right when an earlier try was cut off anywhere. */
  readonly work?: () => Promise<void>;
}

export interface JobKind {
  phases(place: Place, job: Job): Phase[];
  /** What is seen when the work failed; what it was for may be gone. */
  failed(place: Place, job: Job): void;
}

export function createJobs(place: () => Place, kinds: Readonly<Record<string, JobKind>>): Jobs {
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const launch = (job: Job): void => {
    const run = runJob(place(), kinds, job, stopping.signal).finally(() => running.delete(run));
    running.add(run);
  };
  return {
    begin: (kind, region, resource, input = {}) => {
      const { state, save } = place();
      state.lastNumber += 1;
      const job: Job = { number: state.lastNumber, kind, region, resource, input, phase: 0, since: undefined };
      state.jobs.push(job);
      save();
      launch(job);
    },
    resume: () => place().state.jobs.forEach(launch),
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function runJob(place: Place, kinds: Readonly<Record<string, JobKind>>, job: Job, stopping: AbortSignal): Promise<void> {
  const kind = kinds[job.kind];
  if (!kind) throw new Error(`no job of the kind ${job.kind}`);
  try {
    const phases = kind.phases(place, job);
    while (job.phase < phases.length) {
      if (!(await runPhase(place, job, phases[job.phase], stopping))) return;
      job.phase += 1;
      job.since = undefined;
    }
  } catch (error) {
    if (stopping.aborted) return;
    place.log(`${job.kind} of ${job.resource} failed: ${error instanceof Error ? error.message : String(error)}`);
    tellFailure(place, kind, job);
  }
  place.state.jobs = place.state.jobs.filter((one) => one.number !== job.number);
  place.save();
}

function tellFailure(place: Place, kind: JobKind, job: Job): void {
  try {
    kind.failed(place, job);
  } catch (error) {
    place.log(`${job.kind} of ${job.resource}: what it was for is gone: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Whether it came to its end; not when the stand-in is stopping. */
async function runPhase(place: Place, job: Job, phase: Phase | undefined, stopping: AbortSignal): Promise<boolean> {
  while (phase?.waits?.() && !stopping.aborted) await wait(lookAgainMs, undefined, { signal: stopping }).catch(() => undefined);
  if (!phase || stopping.aborted) return false;
  job.since ??= Date.now();
  phase.begin?.();
  place.save();
  const rest = Math.max(0, job.since + place.stateLasts(phase.lasts) - Date.now());
  const ends = await Promise.allSettled([phase.work?.(), wait(rest, undefined, { signal: stopping })]);
  if (ends[0].status === 'rejected') throw ends[0].reason;
  return !stopping.aborted;
}
