/** Does `work` for every item, `most` of them at once, in their order. Returns what the failed ones threw; none holds up the others. */
export async function atOnce<Item>(most: number, items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<unknown[]> {
  const failed: unknown[] = [];
  const waiting = items.values();
  const oneByOne = async (): Promise<void> => {
    // All of them take from the same iterator, so each item is taken once.
    for (const item of waiting) await work(item).catch((error: unknown) => failed.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, oneByOne));
  return failed;
}
