import { policyOf, type Inventory } from './inventory.ts';

/** A database whose last proved restore is too long ago, by its policy. */
export interface OverdueProof {
  readonly database: string;
  /** ISO 8601; null: never. */
  readonly lastProvedAt: string | null;
  readonly withinDays: number;
}

const dayMs = 86_400_000;

/** Those of the inventory that had no proved restore for as long as their policy allows, by name. `last`: when each one was proved. */
export function overdueProofs(inventory: Inventory, last: Readonly<Record<string, string>>, now: number): OverdueProof[] {
  return Object.keys(inventory.databases)
    .toSorted()
    .flatMap((database) => {
      const { provedRestore } = policyOf(inventory, database);
      if (provedRestore === 'off') return [];
      const at = Object.hasOwn(last, database) ? (last[database] ?? null) : null;
      if (at !== null && Date.parse(at) > now - provedRestore) return [];
      return [{ database, lastProvedAt: at, withinDays: Math.round((provedRestore / dayMs) * 10) / 10 }];
    });
}
