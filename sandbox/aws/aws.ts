import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { endChild, readPidFiles } from '../child.ts';
import { sandboxConfiguration } from '../configuration.ts';
import { freePorts } from '../free-ports.ts';
import { embeddedVersion, postgresBinaries } from '../postgres-binaries.ts';
import { openCallLog, type CallRecord } from './calls.ts';
import { foldersOf, type Folders } from './clusters/folders.ts';
import { programsOfAws } from './clusters/programs-of-aws.ts';
import { instanceServers } from './clusters/instance-servers.ts';
import { createFaults, type Fault } from './faults.ts';
import { createJobs } from './jobs.ts';
import { newKey, rdsAlias, type KeyWish } from './kms.ts';
import type { Place } from './place.ts';
import { openAuthorities } from './rds/authorities.ts';
import { backupJobs } from './rds/back-up.ts';
import { beatAll } from './rds/heartbeat.ts';
import { changeJobs } from './rds/change-jobs.ts';
import { instanceJobs } from './rds/instance-jobs.ts';
import type { Instance, RdsRegion } from './rds/model.ts';
import { defaultQuotas, type Quotas } from './rds/default-quotas.ts';
import { snapshotJobs } from './rds/snapshot-jobs.ts';
import { listen } from './server.ts';
import { identifier, readState, writeState, type AwsCredential, type AwsState, type Effect } from './state.ts';
import type { EngineVersion } from './versions.ts';

export interface AwsOptions {
  /** Everything is written below it; its parents must be open to the postgres user. With an earlier state it goes on from there. */
  readonly directory: string;
  /** Default eu-central-1 and eu-west-1. */
  readonly regions?: readonly string[];
  /** Who may sign; default one user who may do everything, with a secret made up for this directory. */
  readonly credentials?: readonly AwsCredential[];
  /** Customer's keys of KMS; each region has `alias/aws/rds` besides. */
  readonly keys?: readonly KeyWish[];
  /** Security groups that exist beside `sg-default`, in every region. */
  readonly securityGroups?: readonly string[];
  /** How many times faster than AWS: 60 (the default) makes an instance in 5 s and has WAL archived every 5 s. */
  readonly factor?: number;
  /** The same of the states that instances and snapshots pass through alone, default `factor`: the clock of the backups goes on as it does. */
  readonly statesFactor?: number;
  /** PostgreSQL versions beside the embedded 16 and 18. */
  readonly engines?: readonly { readonly version: string; readonly bin: string }[];
  /** Where AWS's default quotas are not to hold, in every region. */
  readonly quotas?: Partial<Quotas>;
  /** So many copies from other regions are made into one at a time, default AWS's 20. */
  readonly copiesAtOnce?: number;
  readonly port?: number;
  /** Where programs are kept, default STEADYHAND_CACHE or the platform's place. */
  readonly cache?: string;
  readonly log?: (line: string) => void;
}

export interface Aws {
  /** `http://127.0.0.1:…`, for the `endpoint` of every client; the region is the client's own. The same again after a restart. */
  readonly endpoint: string;
  readonly account: string;
  readonly regions: readonly string[];
  /** The first of the options' credentials; spread it into a client's `credentials`. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
  /** The file of the root certificates of all certificate authorities that the instances have had so far. */
  readonly bundle: string;
  /** The file of the root certificate of one of them. */
  root(region: string, authority: string): string;
  /** Plans a fault; the answer takes it away again. */
  fault(fault: Fault): () => void;
  /** How often what was really made, changed or deleted: `{ action, region, resource, count }`. Refused or repeated calls don't count. */
  effects(): readonly Effect[];
  /** Every call with its parameters (without secrets), region and answer, oldest first. */
  calls(): readonly CallRecord[];
  /** Ends the server and all clusters; the state stays in the directory. Harmless when it is stopped already. */
  stop(): Promise<void>;
}

/**
 * Starts the stand-in for AWS: one HTTP server for RDS, KMS and their kin that speaks AWS's wire protocols and checks signatures,
 * in front of real PostgreSQL clusters. Point the AWS SDK at it with `{ endpoint, region, credentials }`. What a killed one left
 * running in the directory is ended first; then clusters and unfinished work go on.
 */
export async function startAws(options: AwsOptions): Promise<Aws> {
  const folders = foldersOf(options.directory);
  for (const folder of [options.directory, folders.pids, folders.logs]) await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const left of readPidFiles(folders.pids)) await endChild(left);
  const state = readState(folders.state) ?? (await firstState(options));
  if (options.credentials)
    state.credentials = [...options.credentials, ...state.credentials.filter(({ sessionToken }) => sessionToken !== undefined)];
  const place = await placeOf(options, folders, state);
  await startClusters(place);
  const [faults, calls, stopping] = [createFaults(), openCallLog(folders.calls), new AbortController()];
  const server = await listen({ place, faults, calls }, state.port).catch(async (error: unknown) => {
    await place.servers.stopAll();
    throw error;
  });
  place.jobs.resume();
  const beating = beatAll(place, stopping.signal);
  const [first] = state.credentials;
  if (!first) throw new Error('the stand-in for AWS needs a credential');
  return {
    endpoint: `http://127.0.0.1:${state.port}`,
    account: state.account,
    regions: Object.keys(state.rds),
    credentials: first,
    bundle: folders.bundle,
    root: folders.root,
    fault: faults.add,
    effects: () => structuredClone(state.effects),
    calls: () => [...calls.all()],
    stop: async () => {
      stopping.abort();
      server.close();
      server.closeAllConnections();
      await Promise.all([place.jobs.stop(), beating]);
      await place.servers.stopAll();
      place.save();
    },
  };
}

async function firstState(options: AwsOptions): Promise<AwsState> {
  const regions = options.regions ?? ['eu-central-1', 'eu-west-1'];
  const [port = 0] = options.port === undefined ? await freePorts(1) : [options.port];
  const made = { accessKeyId: `AKIA${identifier(16)}`, secretAccessKey: randomBytes(30).toString('base64') };
  return {
    port,
    account: '123456789012',
    rdsadminPassword: randomBytes(18).toString('base64url'),
    credentials: [...(options.credentials ?? [made])],
    rds: Object.fromEntries(regions.map((region) => [region, emptyRegion(region, options.securityGroups ?? [])])),
    keys: [...regions.map((region) => ({ region, alias: rdsAlias })), ...(options.keys ?? [])].map(newKey),
    secrets: [],
    authorities: {},
    jobs: [],
    effects: [],
    lastNumber: 0,
  };
}

function emptyRegion(region: string, securityGroups: readonly string[]): RdsRegion {
  const subnets = ['a', 'b', 'c'].map((zone) => `subnet-${region}${zone}`);
  return {
    instances: {},
    snapshots: {},
    retained: {},
    parameterGroups: {},
    subnetGroups: { default: { name: 'default', description: 'default', subnets, tags: [] } },
    optionGroups: {},
    securityGroups: [...securityGroups],
    events: [],
    ports: {},
  };
}

async function placeOf(options: AwsOptions, folders: Folders, state: AwsState): Promise<Place> {
  const engines = await enginesOf(options);
  const factor = options.factor ?? 60;
  const save = (): void => writeState(folders.state, state);
  const authorities = openAuthorities({ saved: state.authorities, folders, save });
  const jobs = createJobs(() => place, { ...instanceJobs, ...changeJobs, ...snapshotJobs, ...backupJobs });
  const place: Place = {
    state,
    directory: options.directory,
    engines,
    quotas: { ...defaultQuotas, ...options.quotas },
    copiesAtOnce: options.copiesAtOnce ?? 20,
    servers: instanceServers({ folders, engines, authorities, password: state.rdsadminPassword, save }),
    jobs,
    log: options.log ?? (() => undefined),
    pace: (awsSeconds) => (awsSeconds * 1_000) / factor,
    stateLasts: (awsSeconds) => (awsSeconds * 1_000) / (options.statesFactor ?? factor),
    save,
    effect: (action, region, resource) => {
      const known = state.effects.find((one) => one.action === action && one.region === region && one.resource === resource);
      if (known) known.count += 1;
      else state.effects.push({ action, region, resource, count: 1 });
    },
  };
  save();
  return place;
}

async function enginesOf({ cache = sandboxConfiguration().cache, engines = [], log }: AwsOptions): Promise<EngineVersion[]> {
  const embedded = await Promise.all(
    ([16, 18] as const).map(async (major) => ({
      version: await embeddedVersion(major),
      bin: await programsOfAws(await postgresBinaries(major, cache, { log }), { log }),
    })),
  );
  return [...engines, ...embedded].map((engine) => ({ ...engine, major: String(Number.parseInt(engine.version, 10)) }));
}

/** Those of an earlier start; what was being made is made anew by its job. */
async function startClusters(place: Place): Promise<void> {
  const resting = ['creating', 'failed', 'stopped', 'incompatible-restore', 'incompatible-parameters'];
  const instances = Object.values(place.state.rds).flatMap((rds) => Object.values(rds.instances));
  const start = async (instance: Instance): Promise<void> => {
    try {
      await place.servers.start(instance);
    } catch (error) {
      instance.status = 'failed';
      place.log(`${instance.id} does not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await Promise.all(instances.filter(({ status }) => !resting.includes(status)).map(start));
}
