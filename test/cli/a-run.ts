import type { OpenQuestion, RunDetail, StepRow } from '../../control/contract.ts';

export const start = Date.parse('2026-11-21T03:00:00.000Z');
export const id = '01KAJ0V5Z8Q4W9T2B7C6D5E4F3';

export function aStep(changes: Partial<StepRow> = {}): StepRow {
  return {
    id: 'copy',
    position: 1,
    kind: 'wait',
    title: 'Initial copy',
    state: 'pending',
    generation: 1,
    attempt: 0,
    superseded: 0,
    startedAt: null,
    finishedAt: null,
    progress: null,
    because: null,
    failure: null,
    ...changes,
  };
}

export function aQuestion(changes: Partial<OpenQuestion> = {}): OpenQuestion {
  return {
    run: `migration-cutover/orders/${id}`,
    approval: 'agree',
    opening: 1,
    digest: 'd'.repeat(64),
    kind: 'approval',
    choices: ['approve', 'reject'],
    quorum: [{ group: 'dba', count: 1 }],
    requester: 'ada',
    failure: null,
    openedAt: new Date(start).toISOString(),
    agreements: [],
    chain: [],
    ...changes,
  };
}

export function aRun(changes: Partial<RunDetail> = {}): RunDetail {
  return {
    run: `migration-cutover/orders/${id}`,
    runbook: 'migration-cutover',
    database: 'orders',
    state: 'running',
    outcome: null,
    because: null,
    left: [],
    requester: 'ada',
    risk: 'high',
    ticket: null,
    input: {},
    requestedAt: new Date(start).toISOString(),
    closedAt: null,
    plan: null,
    failure: null,
    waits: null,
    frozen: null,
    breakGlass: null,
    review: null,
    steps: [],
    questions: [],
    decisions: [],
    evidence: {},
    ...changes,
  };
}
