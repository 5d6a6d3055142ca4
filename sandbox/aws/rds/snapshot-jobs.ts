import type { JobKind } from '../jobs.ts';
import { rdsOf } from '../place.ts';
import { seconds } from './durations.ts';
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

export const snapshotJobs: Readonly<Record<string, JobKind>> = { snapshot: take };
