/**
 * `work` for many who ask: those who ask while it is under way, or within `forMs` after it ended, get the same answer or the same
 * error. So it costs the same at any rate of requests.
 */
export function shared<Result>(forMs: number, work: () => Promise<Result>, now: () => number = Date.now): () => Promise<Result> {
  let answer: Promise<Result> | undefined;
  let endedAt: number | undefined;
  return () => {
    if (answer !== undefined && (endedAt === undefined || now() - endedAt < forMs)) return answer;
    endedAt = undefined;
    const ended = (): void => void (endedAt = now());
    answer = work();
    answer.then(ended, ended);
    return answer;
  };
}
