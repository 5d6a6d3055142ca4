import { Failure } from '../../domain/failure.ts';
import { isBlocked, type FactFinding } from '../../domain/finding.ts';

/** Receives what stands against a run while its facts are taken, so that people see all of it at once. */
export type Report = (findings: readonly FactFinding[]) => void;

/** Thrown where a plan cannot do without a fact that is missing. Why it is missing was reported. */
export class FactsMissing extends Error {
  override readonly name = 'FactsMissing';
}

export interface Gathered<Taken> {
  readonly facts: Taken;
  readonly findings: readonly FactFinding[];
}

/** Takes facts with all that stands against a run. Raises one failure with every finding when the facts cannot be made. */
export async function gatherFindings<Taken>(take: (report: Report) => Promise<Taken>): Promise<Gathered<Taken>> {
  const findings: FactFinding[] = [];
  const report: Report = (found) => findings.push(...found.filter((one) => !findings.some((other) => other.evidence === one.evidence)));
  try {
    return { facts: await take(report), findings };
  } catch (error) {
    if (findings.length === 0) throw error;
    if (error instanceof FactsMissing) throw refusalOf(findings);
    if (!(error instanceof Failure)) throw error;
    // What passes by itself is tried again, so the failure keeps its code.
    throw refusalOf([...findings, findingOf(error.code, error)], error.retryable ? error : undefined);
  }
}

/** Raises one failure with every finding that blocks. */
export function refuseBlocked(findings: readonly FactFinding[]): void {
  if (isBlocked(findings)) throw refusalOf(findings);
}

/** Facts for `report`; without one, for a caller that takes them or nothing: what was reported is raised, all of it together. */
export async function takeFacts<Taken>(take: (report: Report) => Promise<Taken>, report?: Report): Promise<Taken> {
  if (report) return await take(report);
  const { facts, findings } = await gatherFindings(take);
  refuseBlocked(findings);
  return facts;
}

/** What a look gives; undefined when it is refused: that is reported, and the other facts are taken all the same. */
export async function orReport<Taken>(report: Report, check: string, take: () => Taken | Promise<Taken>): Promise<Taken | undefined> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof FactsMissing) return undefined;
    if (!(error instanceof Failure) || error.retryable) throw error;
    report([findingOf(check, error)]);
    return undefined;
  }
}

/** Looks that depend on nothing of each other, made at once and reported in their order. */
export async function reportAll(report: Report, looks: readonly (readonly [string, Promise<FactFinding[]>])[]): Promise<void> {
  const each = looks.map(async ([check, look]) => {
    const found: FactFinding[] = [];
    const seen = await orReport(
      (reported) => found.push(...reported),
      check,
      async () => await look,
    );
    return [...found, ...(seen ?? [])];
  });
  for (const found of await Promise.all(each)) report(found);
}

function refusalOf(findings: readonly FactFinding[], because?: Failure): Failure {
  const blocking = findings.filter((one) => one.level === 'blocks');
  const lines = blocking.map(({ check, evidence, fix }) => `- ${check}: ${evidence}. ${fix}`.trimEnd());
  const head = blocking.length === 1 ? '1 finding blocks the run' : `${blocking.length} findings block the run`;
  const code = because?.code ?? blocking[0]?.code ?? 'plan-impossible';
  const facts = { ...because?.facts, blocks: blocking.map((one) => one.check) };
  return new Failure(code, `${head}:\n${lines.join('\n')}`, facts, because ?? blocking.find((one) => one.cause)?.cause);
}

/** A failure as the finding that it is before there is a run. */
export function findingOf(check: string, cause: Failure): FactFinding {
  const { code, message, hint } = cause;
  return { check, level: 'blocks', code, evidence: message.replace(/\.$/, ''), fix: hint, cause };
}
