import type { OpenQuestion } from '../control/contract.ts';
import type { Choice } from '../domain/decision.ts';
import type { ApiClient } from './client.ts';
import { line } from './plain.ts';
import type { World } from './world.ts';

/** Answers a question as the token's person and says what became of it. Throws `conflict` when the run refuses. */
export async function sendDecision(
  world: World,
  client: ApiClient,
  path: string,
  question: OpenQuestion,
  choice: Choice,
  reason?: string,
): Promise<void> {
  const { judgedSchema } = await import('../api/answers.ts');
  const { approval, opening, digest } = question;
  const judged = await client.post(
    `${path}/decisions`,
    { approval, opening, digest, choice, ...(reason === undefined ? {} : { reason }) },
    judgedSchema,
  );
  world.out(`${choice} for ${approval}: ${line(judged.because)}\n`);
}
