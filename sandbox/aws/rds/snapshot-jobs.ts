import { join } from 'node:path';
import { copyFolder, makeFolder } from '../clusters/copy-folder.ts';
import { foldersOf } from '../clusters/folders.ts';
import type { Job } from '../job.ts';
import type { JobKind } from '../jobs.ts';
import { rdsOf, type Place } from '../place.ts';
import { seconds } from './durations.ts';
import type { Snapshot } from './model.ts';
import { instanceBy } from './names.ts';
import { fillSnapshot, finished, snapshotBy, snapshotFailed } from './snapshot-work.ts';

/** Meanwhile the instance is `backing-up`, as at AWS. */
const take: JobKind = {
  phases: (place, job) => {
    const snapshot = snapshotBy(place, job.region, job.resource);
    const instance = instanceBy(rdsOf(place, job.region), String(job.input['resourceId']));
    return [
      { lasts: seconds.snapshot, begin: () => (instance.status = 'backing-up'), work: () => fillSnapshot(place, instance, snapshot) },
      {
        lasts: 0,
        begin: () => {
          instance.status = 'available';
          finished(place, snapshot);
        },
      },
    ];
  },
  failed: (place, job) => {
    snapshotFailed(place, job.region, job.resource);
    instanceBy(rdsOf(place, job.region), String(job.input['resourceId'])).status = 'available';
  },
};

const copy: JobKind = {
  phases: (place, job) => {
    const snapshot = snapshotBy(place, job.region, job.resource);
    const across = job.input['sourceRegion'] !== job.region;
    return [
      {
        lasts: across ? seconds.copyAcrossRegions : seconds.copyWithinRegion,
        waits: () => isQueued(place.state.jobs, job),
        begin: () => (snapshot.progress = 10),
        work: () => copyFiles(place, job, snapshot),
      },
      {
        lasts: 0,
        begin: () => {
          // A source that was deleted meanwhile takes the copy with it.
          snapshotBy(place, String(job.input['sourceRegion']), String(job.input['source']));
          snapshot.createdAt = new Date().toISOString();
          finished(place, snapshot);
        },
      },
    ];
  },
  failed: (place, job) => snapshotFailed(place, job.region, job.resource),
};

/** Until earlier copies of the same source into the region are done. */
export function isQueued(jobs: readonly Job[], job: Job): boolean {
  const earlier = jobs.filter(({ kind, region, number }) => kind === 'copy' && region === job.region && number < job.number);
  return earlier.some(({ input }) => input['source'] === job.input['source']);
}

async function copyFiles(place: Place, job: Job, snapshot: Snapshot): Promise<void> {
  const folders = foldersOf(place.directory);
  await makeFolder(folders.snapshot(snapshot.key));
  await copyFolder(join(folders.snapshot(String(job.input['source'])), 'data'), join(folders.snapshot(snapshot.key), 'data'));
}

export const snapshotJobs: Readonly<Record<string, JobKind>> = { snapshot: take, copy };
