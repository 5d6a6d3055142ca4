/** Looks every 20 ms until there is an answer; throws after the deadline (20 s), with what was seen last. */
export async function eventually<Answer>(look: () => Promise<Answer | undefined>, withinMs = 20_000, everyMs = 20): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
      last = 'nothing yet';
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`it did not come within ${withinMs} ms`, { cause: last });
    await new Promise((resolve) => {
      setTimeout(resolve, everyMs);
    });
  }
}
