import type { QuorumLine } from './approval.ts';
import { policyOf, type ApprovalRule, type Inventory } from './inventory.ts';
import type { Risk } from './run.ts';

/** Who may break the glass of the database's runs, and the quorum then: one of these groups unless the policy names another. */
export function breakGlassOf(inventory: Inventory, called: string): { groups: readonly string[]; quorum: readonly QuorumLine[] } {
  const { breakGlass } = policyOf(inventory, called);
  const [group = '', ...or] = breakGlass?.groups ?? [];
  return { groups: breakGlass?.groups ?? [], quorum: breakGlass?.quorum ?? [{ group, count: 1, or }] };
}

/** What the policy asks for such a run: always somebody, also where it asks nobody as a rule. Nobody else may answer later. */
export function ruleOf(inventory: Inventory, called: string, risk: Risk, brokeGlass: boolean): ApprovalRule {
  const rule = policyOf(inventory, called).approvals[risk];
  if (!brokeGlass) return rule;
  const { deadline, remind } = rule === 'auto' ? { deadline: 86_400_000, remind: [] } : rule;
  return { quorum: [...breakGlassOf(inventory, called).quorum], deadline, remind, escalate: [] };
}
