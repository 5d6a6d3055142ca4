import { z } from 'zod';
import type { RunDetail } from '../control/contract.ts';
import { line } from './plain.ts';

/** What a check before a run found, as it is stored under its digest. */
export const findingsSchema = z.array(
  z.object({ check: z.string(), level: z.enum(['blocks', 'warns', 'informs']), evidence: z.string(), fix: z.string() }),
);

const summary = z.object({ findings: z.string(), warns: z.number().default(0) });

/** The digests of a run's findings, with the number of their warnings: from its evidence, or from what it was refused for. */
export function findingsOf(run: RunDetail): z.infer<typeof summary>[] {
  const said = [...Object.values(run.evidence), run.failure?.facts];
  return said.map((one) => summary.safeParse(one)).flatMap((read) => (read.success ? [read.data] : []));
}

/** What blocks comes first, what only informs last. */
export function findingLines(findings: z.infer<typeof findingsSchema>): string[] {
  const lines = (['blocks', 'warns', 'informs'] as const).flatMap((level) =>
    findings
      .filter((one) => one.level === level)
      .flatMap((one) => [
        `${level.padEnd(7)}  ${line(one.check)}: ${line(one.evidence)}`,
        ...(one.fix === '' ? [] : [`         do: ${line(one.fix)}`]),
      ]),
  );
  return lines.length === 0 ? ['nothing was found'] : lines;
}
