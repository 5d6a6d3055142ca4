import { z } from 'zod';
import type { RunDetail } from '../control/contract.ts';
import { byLevel, findingLevels, type Finding } from '../domain/finding.ts';
import { cut, line } from './plain.ts';

/** What a check before a run found, as it is stored under its digest. */
export const findingsSchema: z.ZodType<Finding[]> = z.array(
  z.object({ check: z.string(), level: z.enum(findingLevels), evidence: z.string(), fix: z.string() }),
);

/** A server's own text may be in it, of any length: JSON has it whole. */
const longest = 1_000;

const summary = z.object({ findings: z.string(), warns: z.number().default(0) });

/** The digests of a run's findings, with the number of their warnings: from its evidence, or from what it was refused for. */
export function findingsOf(run: RunDetail): z.infer<typeof summary>[] {
  const said = [...Object.values(run.evidence), run.failure?.facts];
  return said.map((one) => summary.safeParse(one)).flatMap((read) => (read.success ? [read.data] : []));
}

/** What blocks comes first, what only informs last. */
export function findingLines(findings: readonly Finding[]): string[] {
  const lines = byLevel(findings).flatMap(({ level, check, evidence, fix }) => [
    `${level.padEnd(7)}  ${line(check)}: ${cut(line(evidence), longest)}`,
    ...(fix === '' ? [] : [`         do: ${cut(line(fix), longest)}`]),
  ]);
  return lines.length === 0 ? ['nothing was found'] : lines;
}
