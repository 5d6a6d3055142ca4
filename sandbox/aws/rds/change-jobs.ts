import { setMasterPassword } from '../clusters/roles.ts';
import type { Job } from '../job.ts';
import type { JobKind, Phase } from '../jobs.ts';
import { rdsOf, type Place } from '../place.ts';
import { seconds } from './durations.ts';
import { noteInstance } from './events.ts';
import { dropBackups } from './back-up.ts';
import { backingUp, becomesAvailable } from './instance-jobs.ts';
import type { Instance, PendingValues } from './model.ts';
import { instanceBy } from './names.ts';
import { wantedParameters } from './parameter-status.ts';

const instanceOfJob = (place: Place, job: Job): Instance => instanceBy(rdsOf(place, job.region), job.resource);

/** PostgreSQL does not start with its parameters: AWS calls it so, and waits for others. */
function incompatible(place: Place, job: Job): void {
  const instance = instanceOfJob(place, job);
  instance.status = 'incompatible-parameters';
  noteInstance(place, job.region, instance.id, 'DB instance put into incompatible-parameters state', 'failure');
}

function status(instance: Instance, name: string): () => void {
  return () => (instance.status = name);
}

const modify: JobKind = {
  phases: (place, job) => {
    const instance = instanceOfJob(place, job);
    const { apply, retention, startsBackups } = job.input;
    return [
      ...(retention === undefined ? [] : [newRetention(place, instance, Number(retention))]),
      ...(apply === true ? pendingPhases(place, instance) : []),
      ...(startsBackups === true ? [backingUp(place, instance)] : []),
      becomesAvailable(instance),
    ];
  },
  failed: incompatible,
};

const atRest = ['available', 'storage-optimization', 'incompatible-parameters', 'stopped', 'failed', 'deleting'];

/** Pending for a while, in which the instance is what it was; then whatever else it is in the middle of comes first. */
const password: JobKind = {
  phases: (place, job) => {
    const instance = instanceOfJob(place, job);
    return [
      { lasts: seconds.passwordPending },
      {
        lasts: seconds.password,
        waits: () => !atRest.includes(instance.status),
        begin: () => {
          if (instance.status === 'deleting') throw new Error(`${instance.id} is being deleted`);
          instance.status = 'resetting-master-credentials';
        },
        work: () => setMasterPassword(place.servers.writer(instance), instance.master, String(job.input['password'])),
      },
      becomesAvailable(instance),
    ];
  },
  failed: (place, job) => {
    if (instanceOfJob(place, job).status !== 'deleting') incompatible(place, job);
  },
};

/** Without backups nothing is archived; the settings of the archive need no restart. */
function newRetention(place: Place, instance: Instance, retention: number): Phase {
  return {
    lasts: seconds.modify,
    begin: status(instance, 'modifying'),
    work: async () => {
      instance.retention = retention;
      if (retention === 0) {
        dropBackups(place, instance.region, instance.resourceId);
        instance.latestRestorable = undefined;
      }
      await place.servers.reload(instance);
    },
  };
}

function pendingPhases(place: Place, instance: Instance): Phase[] {
  const { pending } = instance;
  const grows = pending.storage !== undefined;
  const changing = { lasts: lastsFor(pending), begin: status(instance, statusFor(pending)) };
  const applying = (): Promise<void> => applyPending(place, instance);
  return [
    // With its old name goes its endpoint, and with it all connections; only then it comes up under the new one.
    ...(pending.id === undefined
      ? [{ ...changing, work: applying }]
      : [
          { ...changing, work: () => place.servers.stop(instance) },
          { lasts: 0, work: applying },
        ]),
    ...(grows ? [{ lasts: seconds.storageOptimization, begin: status(instance, 'storage-optimization') }] : []),
  ];
}

function statusFor({ id, engineVersion }: PendingValues): string {
  if (engineVersion !== undefined) return 'upgrading';
  return id === undefined ? 'modifying' : 'renaming';
}

function lastsFor({ id, engineVersion, multiAz }: PendingValues): number {
  if (engineVersion !== undefined) return seconds.upgrade;
  if (multiAz !== undefined) return seconds.multiAz;
  return id === undefined ? seconds.modify : seconds.rename;
}

/**
 * What waited becomes so. A new name brings that name's endpoint, so the cluster starts anew on its port. A new authority restarts it,
 * too, unless the call says otherwise.
 */
async function applyPending(place: Place, instance: Instance): Promise<void> {
  const rds = rdsOf(place, instance.region);
  const { id, withoutRestart, ...values } = instance.pending;
  const rotates = values.caCertificate !== undefined && withoutRestart !== true;
  const restarts = id !== undefined || rotates || values.instanceClass !== undefined || values.engineVersion !== undefined;
  Object.assign(instance, values);
  if (restarts) instance.applied = wantedParameters(place, instance);
  if (values.multiAz !== undefined) instance.secondaryZone = values.multiAz ? otherZone(instance) : undefined;
  if (id !== undefined) {
    delete rds.instances[instance.id];
    instance.id = id;
    instance.port = rds.ports[id] ?? instance.port;
    rds.instances[id] = instance;
  }
  instance.pending = {};
  instance.pendingSince = undefined;
  place.save();
  await (restarts ? place.servers.restart(instance) : place.servers.arrange(instance));
  noteInstance(place, instance.region, instance.id, 'Finished applying modification', 'configuration change');
}

function otherZone({ zone, region }: Instance): string {
  return zone === `${region}a` ? `${region}b` : `${region}a`;
}

const reboot: JobKind = {
  phases: (place, job) => {
    const instance = instanceOfJob(place, job);
    const { failoverFrom } = job.input;
    return [
      {
        lasts: failoverFrom === undefined ? seconds.reboot : seconds.failover,
        begin: status(instance, 'rebooting'),
        work: () => (failoverFrom === undefined ? restart(place, instance) : failOver(place, instance, failoverFrom)),
      },
      becomesAvailable(instance),
    ];
  },
  failed: incompatible,
};

async function restart(place: Place, instance: Instance): Promise<void> {
  instance.applied = wantedParameters(place, instance);
  await place.servers.restart(instance);
  noteInstance(place, instance.region, instance.id, 'DB instance restarted', 'availability');
}

async function failOver(place: Place, instance: Instance, from: string | number | boolean): Promise<void> {
  if (instance.writer === from) {
    noteInstance(place, instance.region, instance.id, 'Multi-AZ instance failover started', 'failover');
    instance.applied = wantedParameters(place, instance);
    await place.servers.failOver(instance);
    const [zone, secondaryZone] = [instance.secondaryZone ?? instance.zone, instance.zone];
    Object.assign(instance, { zone, secondaryZone });
    noteInstance(place, instance.region, instance.id, 'Multi-AZ instance failover completed', 'failover');
    place.save();
  }
  await place.servers.arrange(instance);
}

function resting(lasts: number, during: string, after: string, work: (place: Place, instance: Instance) => Promise<void>): JobKind {
  return {
    phases: (place, job) => {
      const instance = instanceOfJob(place, job);
      return [
        { lasts, begin: status(instance, during), work: () => work(place, instance) },
        { lasts: 0, begin: status(instance, after) },
      ];
    },
    failed: incompatible,
  };
}

/** The day's automated backup. */
const backup: JobKind = {
  phases: (place, job) => {
    const instance = instanceOfJob(place, job);
    return [backingUp(place, instance), becomesAvailable(instance)];
  },
  failed: (place, job) => {
    instanceOfJob(place, job).status = 'available';
  },
};

export const changeJobs: Readonly<Record<string, JobKind>> = {
  modify,
  password,
  reboot,
  backup,
  stop: resting(seconds.stop, 'stopping', 'stopped', (place, instance) => place.servers.stop(instance)),
  start: resting(seconds.start, 'starting', 'available', (place, instance) => {
    instance.applied = wantedParameters(place, instance);
    return place.servers.start(instance);
  }),
};
