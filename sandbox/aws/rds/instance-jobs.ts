import { foldersOf } from '../clusters/folders.ts';
import type { Job } from '../job.ts';
import type { JobKind, Phase } from '../jobs.ts';
import { rdsOf, type Place } from '../place.ts';
import { backUp, dropBackups } from './back-up.ts';
import { seconds } from './durations.ts';
import { noteInstance } from './events.ts';
import { tryBeat } from './heartbeat.ts';
import type { Instance } from './model.ts';
import { instanceBy } from './names.ts';
import { fillSnapshot, finished, snapshotBy } from './snapshot-work.ts';

const instanceOfJob = (place: Place, job: Job): Instance => instanceBy(rdsOf(place, job.region), job.resource);

/** The end of most jobs. */
export function becomesAvailable(instance: Instance): Phase {
  return {
    lasts: 0,
    begin: () => {
      instance.status = 'available';
      instance.reachable = true;
    },
  };
}

/** The automated backup that follows a creation. None without retention. */
function firstBackup(place: Place, instance: Instance): Phase[] {
  return instance.retention === 0 ? [] : [backingUp(place, instance)];
}

/** An automated backup: with the archive it is what a restore to a moment starts from. */
export function backingUp(place: Place, instance: Instance): Phase {
  return {
    lasts: seconds.backingUp,
    begin: () => {
      instance.status = 'backing-up';
      instance.reachable = true;
    },
    work: () => backUp(place, instance),
  };
}

function creation(status: string): (place: Place, job: Job) => void {
  return (place, job) => {
    const instance = instanceOfJob(place, job);
    instance.status = status;
    noteInstance(place, job.region, instance.id, `DB instance put into ${status} state`, 'failure');
  };
}

const create: JobKind = {
  phases: (place, job) => {
    const instance = instanceOfJob(place, job);
    const master = { name: instance.master, password: String(job.input['password']), database: instance.dbName };
    return [
      { lasts: seconds.create, work: () => place.servers.make(instance, master) },
      ...firstBackup(place, instance),
      becomesAvailable(instance),
      { lasts: 0, begin: () => noteInstance(place, job.region, instance.id, 'DB instance created', 'creation') },
    ];
  },
  failed: creation('failed'),
};

function restoring(lasts: number, message: string): JobKind {
  return {
    phases: (place, job) => {
      const instance = instanceOfJob(place, job);
      const { snapshot, archive, target } = job.input;
      const folders = foldersOf(place.directory);
      const to = target === undefined ? undefined : { archive: folders.archive(String(archive)), target: new Date(String(target)) };
      return [
        { lasts, work: () => place.servers.restore(instance, folders.snapshot(String(snapshot)), to) },
        ...firstBackup(place, instance),
        becomesAvailable(instance),
        { lasts: 0, begin: () => noteInstance(place, job.region, instance.id, message, 'restoration') },
      ];
    },
    failed: creation('incompatible-restore'),
  };
}

const remove: JobKind = {
  phases: (place, job) => {
    const instance = instanceOfJob(place, job);
    const { final, keep } = job.input;
    const snapshot = final === undefined ? undefined : snapshotBy(place, job.region, String(final));
    return [
      {
        lasts: seconds.delete,
        work: async () => {
          if (snapshot && snapshot.status === 'creating' && place.servers.runs(instance)) await fillSnapshot(place, instance, snapshot);
          if (snapshot) finished(place, snapshot);
          if (keep === true) await tryBeat(place, instance);
          place.save();
          await place.servers.remove(instance);
        },
      },
      { lasts: 0, begin: () => forget(place, instance, keep === true) },
    ];
  },
  failed: creation('failed'),
};

function forget(place: Place, instance: Instance, keep: boolean): void {
  const rds = rdsOf(place, instance.region);
  delete rds.instances[instance.id];
  if (keep) rds.retained[instance.resourceId] = { instance, deletedAt: new Date().toISOString() };
  else dropBackups(place, instance.region, instance.resourceId);
  noteInstance(place, instance.region, instance.id, 'DB instance deleted', 'deletion');
}

export const instanceJobs: Readonly<Record<string, JobKind>> = {
  create,
  'restore-from-snapshot': restoring(seconds.restoreFromSnapshot, 'Restored from snapshot'),
  'restore-to-point-in-time': restoring(seconds.restoreToPointInTime, 'Restored to a point in time'),
  delete: remove,
};
