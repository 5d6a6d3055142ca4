import { canonical } from '../../domain/digest.ts';
import type { Facts, Plan, PlannedStep } from '../../domain/plan.ts';

interface Made {
  readonly plan: Plan;
  readonly facts: Facts;
}

const atMost = 10;
const valueLength = 60;

/**
 * What makes two plans' digests differ, a line each, at most ten: the binding facts with their old and new values, and the steps
 * that do something else. Observed facts don't count. Pure.
 */
export function changesBetween(before: Made, after: Made): string[] {
  const lines = [...factLines('', before.facts.binding, after.facts.binding), ...stepLines(before.plan, after.plan)];
  if (lines.length <= atMost) return lines;
  return [...lines.slice(0, atMost - 1), `and ${lines.length - atMost + 1} more`];
}

function factLines(path: string, before: unknown, after: unknown): string[] {
  if (textOf(before) === textOf(after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [`${path}: ${short(before)} → ${short(after)}`];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return keys.flatMap((key) => factLines(path === '' ? key : `${path}.${key}`, before[key], after[key]));
}

function stepLines(before: Plan, after: Plan): string[] {
  const old = new Map(before.steps.map((step) => [step.id, step]));
  const first = after.from === undefined ? 0 : after.steps.findIndex((step) => step.id === after.from);
  return after.steps.slice(first).flatMap((step) => {
    const was = old.get(step.id);
    if (was && textOf(doneBy(was)) === textOf(doneBy(step))) return [];
    if (was && (was.applies === false) !== (step.applies === false)) {
      return [`"${step.title}" is ${step.applies === false ? 'not needed any more' : 'needed now'}`];
    }
    return [`"${step.title}" does something else`];
  });
}

/** What the digest binds of a step. */
function doneBy(step: PlannedStep): unknown {
  return step.applies === false ? null : { commands: step.commands, undo: step.undo ?? [] };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string {
  return value === undefined ? '' : canonical(value);
}

function short(value: unknown): string {
  const text = value === undefined ? 'nothing' : typeof value === 'string' ? value : textOf(value);
  return text.length <= valueLength ? text : `${[...text].slice(0, valueLength).join('')}…`;
}
