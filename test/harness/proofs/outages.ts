import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { sandboxConfiguration } from '../../../sandbox/configuration.ts';
import { freePorts } from '../../../sandbox/free-ports.ts';
import { startTemporal, type TemporalServer } from '../../../sandbox/temporal.ts';
import { eventually } from '../../support/eventually.ts';
import { definitionOf, wentThrough, workingSteps } from '../expectations.ts';
import { begin } from '../trial.ts';
import type { Stage, Subject } from '../stage.ts';

/** The Temporal server of these cases alone: it is killed, and comes back with what it had written. */
interface Mortal {
  readonly address: string;
  dieAndComeBack(): Promise<void>;
  end(): Promise<void>;
}

/** Temporal is killed (SIGKILL) while each step in turn is at work, and comes back: the run goes on, each effect is made once. */
export function provesOutages(subject: Subject): void {
  let mortal: Mortal | undefined;
  let stage: Stage | undefined;
  beforeAll(async () => {
    mortal = await startMortal();
    stage = await subject.stage(mortal.address);
  }, 120_000);
  afterAll(async () => {
    await stage?.end();
    await mortal?.end();
  }, 60_000);

  test('Temporal is killed at each step, and comes back', { timeout: 600_000 }, async ({ onTestFinished }) => {
    if (!stage || !mortal) throw new Error('the stage is not up');
    const { dieAndComeBack } = mortal;
    const trial = await begin(subject, stage, 540_000);
    onTestFinished(trial.world.end);
    for (const step of workingSteps(subject)) {
      const point = definitionOf(subject, step).kind === 'change' ? 'acted' : 'begun';
      void stage.faults.set(trial.run, { step, point, strike: dieAndComeBack });
    }
    await trial.start();
    await wentThrough(trial);
  });
}

async function startMortal(): Promise<Mortal> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-mortal-'));
  const [port = 0, ui = 0] = await freePorts(2);
  const start = async (): Promise<TemporalServer> =>
    await startTemporal({
      configuration: sandboxConfiguration(),
      directory,
      ports: [port, ui],
      logFile: join(directory, 'temporal.log'),
      pidFile: join(directory, 'temporal.json'),
      log: () => undefined,
    });
  let server = await start();
  return {
    address: server.address,
    dieAndComeBack: async () => {
      process.kill(server.pid, 'SIGKILL');
      await eventually(async () => await Promise.resolve(isGone(server.pid) || undefined));
      server = await start();
    },
    end: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
