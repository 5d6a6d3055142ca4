import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { durationText } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import type { SandboxConfiguration } from './configuration.ts';
import { findProgram, isExecutable } from './find-program.ts';
import { runProgram } from './run-program.ts';

const version = '1.5.1';
const answerWithinMs = 5_000;
const downloadWithinMs = 180_000;
const buildWithinMs = 15 * 60_000;

export interface Finding {
  readonly configuration: SandboxConfiguration;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Where the archives are, default temporal.download as in the SDK. */
  readonly downloadFrom?: string;
}

/**
 * The path of a `temporal` command: TEMPORAL_CLI_PATH, PATH, our cache, a download from where the SDK takes it, a build with Go.
 * The last two end in the cache and need minutes, once; the log says so. Throws `tool-missing` with what was tried.
 */
export async function temporalProgram(finding: Finding): Promise<string> {
  const { configuration } = finding;
  if (configuration.temporalCli !== undefined) return named(configuration.temporalCli);
  const cached = join(configuration.cache, `temporal-${version}`, 'temporal');
  const found = findProgram('temporal', configuration.path) ?? (isExecutable(cached) ? cached : undefined);
  if (found !== undefined) return found;
  return await bring(finding, cached);
}

function named(path: string): string {
  if (isExecutable(path)) return path;
  throw new Failure('tool-missing', `TEMPORAL_CLI_PATH says ${path}, which is no program`, { path });
}

async function bring(finding: Finding, cached: string): Promise<string> {
  const tried: string[] = [];
  for (const way of [download, build]) {
    const building = `${dirname(cached)}.${process.pid}`;
    const began = performance.now();
    try {
      await mkdir(building, { recursive: true });
      await way(finding, building);
      await checkAndKeep(finding, building, cached);
      finding.log(`The Temporal server is ready after ${durationText(performance.now() - began)}; it is kept in ${dirname(cached)}`);
      return cached;
    } catch (error) {
      finding.signal?.throwIfAborted();
      tried.push(error instanceof Error ? error.message : String(error));
      finding.log(`That did not work: ${tried.at(-1)}`);
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  }
  const advice = `install the temporal command ${version} and set TEMPORAL_CLI_PATH, or install Go`;
  throw new Failure('tool-missing', `there is no Temporal server: ${advice}. Tried: ${tried.join('; ')}`, { tried });
}

/** Shows its version before it is trusted, then renamed into place. Another process may have been quicker: that is fine. */
async function checkAndKeep({ configuration, signal }: Finding, building: string, cached: string): Promise<void> {
  const program = join(building, 'temporal');
  await chmod(program, 0o755);
  await runProgram({ command: program, args: ['--version'], environment: configuration.environment, timeoutMs: 20_000, signal });
  await mkdir(dirname(cached), { recursive: true, mode: 0o755 });
  await rename(program, cached);
}

async function download(
  { configuration, log, signal, downloadFrom = 'https://temporal.download' }: Finding,
  folder: string,
): Promise<void> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const address = `${downloadFrom}/cli/archive/v${version}?platform=${process.platform}&arch=${architecture}`;
  log(`Downloading the Temporal server ${version} from ${downloadFrom}, once`);
  const archive = join(folder, 'archive.tar.gz');
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error(`no answer within ${answerWithinMs / 1_000} s`)), answerWithinMs);
  try {
    const signals = [stop.signal, AbortSignal.timeout(downloadWithinMs), ...(signal ? [signal] : [])];
    const answer = await fetch(address, { signal: AbortSignal.any(signals) });
    clearTimeout(timer);
    if (!answer.ok || !answer.body) throw new Error(`the answer was ${answer.status}`);
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(archive));
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Failure('tool-missing', `the download failed (${cause})`, {}, error);
  } finally {
    clearTimeout(timer);
  }
  await runProgram({
    command: 'tar',
    args: ['-xzf', archive, '-C', folder, 'temporal'],
    environment: configuration.environment,
    timeoutMs: 60_000,
    signal,
  });
}

async function build({ configuration, log, signal }: Finding, folder: string): Promise<void> {
  const go = findProgram('go', [...configuration.path, '/usr/local/go/bin']);
  if (go === undefined) throw new Failure('tool-missing', 'there is no Go to build it with');
  log('Building the Temporal server with Go: 1–4 minutes, once');
  await runProgram({
    command: go,
    args: ['install', `github.com/temporalio/cli/cmd/temporal@v${version}`],
    environment: { ...configuration.environment, GOBIN: folder },
    timeoutMs: buildWithinMs,
    signal,
  });
}
