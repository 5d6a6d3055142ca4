import { createWriteStream } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../domain/failure.ts';
import { buildOnce, type Workshop } from './build-once.ts';
import type { SandboxConfiguration } from './configuration.ts';
import { findProgram, isExecutable } from './find-program.ts';
import { runProgram } from './run-program.ts';

const version = '1.5.1';
const answerWithinMs = 5_000;
const downloadWithinMs = 180_000;
/** A laptop needs 2 minutes; a machine of two busy cores has needed 10. */
const buildWithinMs = 60 * 60_000;

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
  await buildOnce({
    what: `the Temporal server ${version}`,
    finished: dirname(cached),
    isThere: () => isExecutable(cached),
    log: finding.log,
    signal: finding.signal,
    build: async (workshop) => await makeProgram(finding, workshop),
  });
  return cached;
}

async function makeProgram(finding: Finding, workshop: Workshop): Promise<void> {
  const tried: string[] = [];
  for (const way of [download, build]) {
    try {
      await way(finding, workshop);
      return await check(finding, join(workshop.folder, 'temporal'));
    } catch (error) {
      finding.signal?.throwIfAborted();
      tried.push(error instanceof Error ? error.message : String(error));
      finding.log(`That did not work: ${tried.at(-1)}`);
    }
  }
  const advice = `install the temporal command ${version} and set TEMPORAL_CLI_PATH, or install Go`;
  throw new Failure('tool-missing', `there is no Temporal server: ${advice}. Tried: ${tried.join('; ')}`, { tried });
}

/** It shows its version before it is trusted. */
async function check({ configuration, signal }: Finding, program: string): Promise<void> {
  await chmod(program, 0o755);
  await runProgram({ command: program, args: ['--version'], environment: configuration.environment, timeoutMs: 20_000, signal });
}

async function download(
  { configuration, log, signal, downloadFrom = 'https://temporal.download' }: Finding,
  { folder, scratch }: Workshop,
): Promise<void> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const address = `${downloadFrom}/cli/archive/v${version}?platform=${process.platform}&arch=${architecture}`;
  log(`Downloading the Temporal server ${version} from ${downloadFrom}, once`);
  const archive = join(scratch, 'archive.tar.gz');
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

async function build({ configuration, log, signal }: Finding, { folder, scratch, pids }: Workshop): Promise<void> {
  const go = findProgram('go', [...configuration.path, '/usr/local/go/bin']);
  if (go === undefined) throw new Failure('tool-missing', 'there is no Go to build it with');
  log('Building the Temporal server with Go: some minutes, once');
  await runProgram({
    command: go,
    args: ['install', `github.com/temporalio/cli/cmd/temporal@v${version}`],
    environment: { ...configuration.environment, GOBIN: folder, GOTMPDIR: scratch },
    timeoutMs: buildWithinMs,
    signal,
    pidFile: join(pids, 'go.json'),
  });
}
