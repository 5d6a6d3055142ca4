import { mkdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { endChild, readPidFiles } from '../../child.ts';
import { giveToPostgres } from '../../postgres-user.ts';
import { startCluster, type Cluster, type Settings } from '../../postgres.ts';
import type { Authorities } from '../rds/authorities.ts';
import type { Instance } from '../rds/model.ts';
import { engineVersion, type EngineVersion } from '../versions.ts';
import { writeAccess } from './access.ts';
import { copyFolder, makeFolder } from './copy-folder.ts';
import type { Folders } from './folders.ts';
import { makeRoles, superuser, type Master } from './roles.ts';
import { certify } from './server-certificate.ts';
import { recoverySettings, settingsOf } from './settings-of.ts';
import { makeStandby, promote, waitForStandby } from './standby.ts';

/** The real PostgreSQL clusters of the instances. Each of these may be called again after it was cut off anywhere. */
export interface InstanceServers {
  /** The cluster that writes. Throws when the instance has none running. */
  writer(instance: Instance): Cluster;
  /** Where its cluster listens once it runs; the endpoint's port is the instance's own. */
  runs(instance: Instance): boolean;
  make(instance: Instance, master: Master): Promise<void>;
  /** From the folder of a base backup, up to the moment when an archive is given, else as the backup is. */
  restore(instance: Instance, backup: string, to?: { readonly archive: string; readonly target: Date }): Promise<void>;
  /** Starts what is not running, with the parameters in effect; the standby too. */
  start(instance: Instance): Promise<void>;
  restart(instance: Instance): Promise<void>;
  /** Has the settings read that need no restart. */
  reload(instance: Instance): Promise<void>;
  /** The standby becomes the writer, at the same port; no acknowledged write is lost. */
  failOver(instance: Instance): Promise<void>;
  /** Adds or removes the standby, as `multiAz` says. */
  arrange(instance: Instance): Promise<void>;
  stop(instance: Instance): Promise<void>;
  remove(instance: Instance): Promise<void>;
  stopAll(): Promise<void>;
}

interface Pair {
  writer: Cluster;
  standby: Cluster | undefined;
}

interface Context {
  readonly folders: Folders;
  readonly engines: readonly EngineVersion[];
  readonly authorities: Authorities;
  readonly password: string;
  readonly save: () => void;
  readonly pairs: Map<string, Pair>;
}

export function instanceServers(given: Omit<Context, 'pairs'>): InstanceServers {
  const context: Context = { ...given, pairs: new Map() };
  const { folders } = context;
  const stop = async ({ resourceId }: Instance): Promise<void> => {
    const pair = context.pairs.get(resourceId);
    context.pairs.delete(resourceId);
    await pair?.standby?.stop();
    await pair?.writer.stop();
  };
  const remove = async (instance: Instance): Promise<void> => {
    await stop(instance);
    await endLeftOvers(folders, instance);
    await rm(folders.instance(instance.resourceId), { recursive: true, force: true });
  };
  const arrange = (instance: Instance): Promise<void> => arrangeStandby(context, instance);
  const started = async (instance: Instance, extra?: Settings): Promise<Pair> => {
    const writer = await startSide(context, instance, instance.writer, { ...settingsOf(folders, instance), ...extra });
    const pair: Pair = { writer, standby: undefined };
    context.pairs.set(instance.resourceId, pair);
    return pair;
  };
  return {
    writer: (instance) => pairOf(context, instance).writer,
    runs: ({ resourceId }) => context.pairs.has(resourceId),
    make: async (instance, master) => {
      await remove(instance);
      await prepareFolders(folders, instance);
      const { writer } = await started(instance);
      await makeRoles(writer, Number.parseInt(instance.engineVersion, 10), master);
      await arrange(instance);
    },
    restore: async (instance, backup, to) => {
      await remove(instance);
      await prepareFolders(folders, instance);
      await layOut(context, instance, backup, to !== undefined);
      const { writer } = await started(instance, to && recoverySettings(to.archive, to.target));
      await writer.configure(settingsOf(folders, instance));
      await arrange(instance);
    },
    start: async (instance) => {
      if (!context.pairs.has(instance.resourceId)) await started(instance);
      await arrange(instance);
    },
    restart: async (instance) => {
      await stop(instance);
      await started(instance);
      await arrange(instance);
    },
    reload: async (instance) => {
      const pair = pairOf(context, instance);
      await prepareFolders(folders, instance);
      await writeAccess(folders, instance);
      await pair.writer.configure(writerSettings(context, instance, pair));
      await pair.standby?.configure(standbySettings(context, instance));
    },
    failOver: (instance) => failOver(context, instance, arrange),
    arrange,
    stop,
    remove,
    stopAll: async () => {
      const pairs = [...context.pairs.values()];
      context.pairs.clear();
      await Promise.all(
        pairs.map(async ({ writer, standby }) => {
          await standby?.stop();
          await writer.stop();
        }),
      );
    },
  };
}

function pairOf({ pairs }: Context, { id, resourceId }: Instance): Pair {
  const pair = pairs.get(resourceId);
  if (!pair) throw new Error(`the instance ${id} has no running cluster`);
  return pair;
}

async function prepareFolders(folders: Folders, instance: Instance): Promise<void> {
  const archive = folders.archive(instance.resourceId);
  for (const folder of [folders.instance(instance.resourceId), archive]) await mkdir(folder, { recursive: true, mode: 0o755 });
  await giveToPostgres(archive);
}

/** A backup becomes the files of the instance's cluster. */
async function layOut({ folders, password }: Context, instance: Instance, backup: string, recover: boolean): Promise<void> {
  const folder = folders.cluster(instance, instance.writer);
  await makeFolder(folder);
  await copyFolder(join(backup, 'data'), join(folder, 'data'));
  await ownFile(join(folder, 'superuser-password'), `${password}\n`);
  if (recover) await ownFile(join(folder, 'data', 'recovery.signal'), '');
}

async function ownFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
  await giveToPostgres(file);
}

async function startSide(context: Context, instance: Instance, side: 'a' | 'b', settings: Settings): Promise<Cluster> {
  // PostgreSQL reads it when it starts: then it is that of the instance's present name and authority.
  if (side === instance.writer) await certify(context, instance);
  await writeAccess(context.folders, instance);
  const name = `${instance.resourceId}-${side}`;
  return await startCluster({
    name,
    bin: engineVersion(context.engines, instance.engineVersion).bin,
    directory: context.folders.cluster(instance, side),
    settings,
    superuser,
    password: context.password,
    // Small segments, as one is archived at each heartbeat.
    initialise: ['--wal-segsize=1'],
    startWithinMs: 300_000,
    logFile: context.folders.logFile(name),
    pidFile: context.folders.pidFile(name),
    ...(side === instance.writer ? { port: instance.port } : {}),
  });
}

async function endLeftOvers(folders: Folders, instance: Instance): Promise<void> {
  const left = readPidFiles(folders.pids).filter(({ name }) => name.startsWith(`${instance.resourceId}-`));
  for (const record of left) await endChild(record);
  for (const { name } of left) await rm(folders.pidFile(name), { force: true });
}

function other(side: 'a' | 'b'): 'a' | 'b' {
  return side === 'a' ? 'b' : 'a';
}

/** With a standby each commit waits for it, so a failover loses none. */
function writerSettings({ folders }: Context, instance: Instance, { standby }: Pair): Settings {
  return { ...settingsOf(folders, instance), ...(standby ? { synchronous_standby_names: 'standby' } : {}) };
}

function standbySettings({ folders, password }: Context, instance: Instance): Settings {
  const conninfo = `host=127.0.0.1 port=${instance.port} user=${superuser} password=${password} application_name=standby`;
  return { ...settingsOf(folders, instance), primary_conninfo: conninfo, recovery_target_timeline: 'latest' };
}

async function arrangeStandby(context: Context, instance: Instance): Promise<void> {
  const pair = pairOf(context, instance);
  const folder = context.folders.cluster(instance, other(instance.writer));
  if (!instance.multiAz && pair.standby) {
    const { standby } = pair;
    pair.standby = undefined;
    await pair.writer.configure(writerSettings(context, instance, pair));
    await standby.stop();
    await rm(folder, { recursive: true, force: true });
  }
  if (!instance.multiAz || pair.standby) return;
  // What is left of an earlier one, or of a writer that failed over, is no standby.
  if (!existsSync(join(folder, 'data', 'standby.signal'))) await makeStandby(pair.writer, folder, context.password);
  const standby = await startSide(context, instance, other(instance.writer), standbySettings(context, instance));
  await waitForStandby(pair.writer);
  pair.standby = standby;
  await pair.writer.configure(writerSettings(context, instance, pair));
}

async function failOver(context: Context, instance: Instance, arrange: (instance: Instance) => Promise<void>): Promise<void> {
  await arrange(instance);
  const pair = pairOf(context, instance);
  const { writer: old, standby } = pair;
  if (!standby) throw new Error(`the instance ${instance.id} has no standby`);
  // As when a zone fails: no time to say goodbye.
  process.kill(old.pid, 'SIGQUIT');
  await old.stop();
  await promote(standby);
  await standby.stop();
  instance.writer = other(instance.writer);
  context.save();
  const settings = settingsOf(context.folders, instance);
  context.pairs.set(instance.resourceId, { writer: await startSide(context, instance, instance.writer, settings), standby: undefined });
}
