import type { Intent, Moves } from '../../control/contract.ts';
import { digestOf } from '../../domain/digest.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { looking, type Sides } from '../replication/side.ts';
import type { Finding, PreflightSummary } from './contract.ts';
import { rightsChecks } from './preflight/rights.ts';
import { schemaChecks } from './preflight/schema.ts';
import { serverChecks } from './preflight/servers.ts';
import { tableChecks } from './preflight/tables.ts';
import { trafficChecks } from './preflight/traffic.ts';
import type { Check, View } from './preflight/view.ts';
import type { Tools } from './run-tool.ts';

export interface PreflightDependencies {
  /** Stores the findings under their digest. */
  findings(digest: string, body: unknown): Promise<void>;
  /** Intents of a run, oldest first: what it made itself is no finding. */
  journal(run: string): Promise<readonly Intent[]>;
  readonly moves: Moves;
  /** Of the server with the control database: no run may change that one. */
  controlSystemIdentifier(): Promise<string>;
  readonly tools: Tools;
}

const checks: readonly Check[] = [...serverChecks, ...tableChecks, ...schemaChecks, ...trafficChecks, ...rightsChecks];

/**
 * Runs every check, stores what they found under its digest, and raises `preflight-blocked` with each finding that blocks and its
 * fix. Changes nothing. A side that can't be reached or is another server raises `unreachable` or `identity-changed`.
 */
export async function preflight(deps: PreflightDependencies, sides: Sides, attempt: Attempt): Promise<PreflightSummary> {
  const journal = await deps.journal(attempt.run);
  const copying = journal.some((intent) => 'emptied' in intent.before);
  const controlSystem = await deps.controlSystemIdentifier();
  const move = await deps.moves.from(sides.facts.binding.source);
  const found = await findings(sides, { tools: deps.tools, tag: attempt.tag, copying, controlSystem, move }, attempt);
  const digest = digestOf(found);
  await deps.findings(digest, found);
  const blocking = found.filter((one) => one.level === 'blocks');
  if (blocking.length > 0) {
    const lines = blocking.map((one) => `- ${one.check}: ${one.evidence}. ${one.fix}`).join('\n');
    throw new Failure('preflight-blocked', `${blocking.length} of ${checks.length} checks block the migration:\n${lines}`, {
      findings: digest,
      blocks: blocking.map((one) => one.check),
    });
  }
  const warning = found.filter((one) => one.level === 'warns');
  return { checks: checks.length, blocks: 0, warns: warning.length, findings: digest };
}

/** What the checks find, in their order: for a run, or for a plan that nobody has asked for yet. Stores nothing. */
export async function findings(
  sides: Sides,
  seen: Omit<View, keyof Sides | 'source' | 'target'>,
  attempt: Pick<Attempt, 'signal' | 'progress'>,
): Promise<Finding[]> {
  return await looking(
    sides,
    'source',
    async (source) => await looking(sides, 'target', async (target) => await look({ ...sides, ...seen, source, target }, attempt)),
  );
}

async function look(view: View, attempt: Pick<Attempt, 'signal' | 'progress'>): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const [index, check] of checks.entries()) {
    attempt.signal.throwIfAborted();
    attempt.progress({ summary: `${check.name} (${index + 1} of ${checks.length})`, fraction: index / checks.length });
    const seen = await Promise.resolve(check.look(view)).catch(notAllowed);
    found.push(...seen.map((one) => ({ check: check.name, ...one })));
  }
  return found;
}

/** A look that this role may not take is no reason to stop, but people should know that nobody looked. */
function notAllowed(error: unknown): [Omit<Finding, 'check'>] {
  if (!(error instanceof Failure) || error.code !== 'privilege-missing') throw error;
  return [{ level: 'warns', evidence: `could not be looked at: ${error.message}`, fix: 'Grant what is named, or look yourself.' }];
}
