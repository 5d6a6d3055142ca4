import { z } from 'zod';
import type { Runbook } from '../../domain/runbook.ts';

export const steps = {
  look: { kind: 'check', title: 'Look' },
  'agree-first': { kind: 'approval', title: 'Agree to begin' },
  first: { kind: 'change', title: 'Make the first' },
  unneeded: { kind: 'change', title: 'Make what nobody needs' },
  second: { kind: 'change', title: 'Make the second', skippable: true },
  wait: { kind: 'wait', title: 'Wait for the word' },
  'agree-last': { kind: 'approval', title: 'Agree to finish' },
  last: { kind: 'change', title: 'Make the last', pointOfNoReturn: true },
  tidy: { kind: 'change', title: 'Tidy up' },
} as const;

export interface RehearsalFacts {
  readonly binding: { readonly shape: string };
  readonly observed: { readonly size: number };
}

const make = (what: string) => ({
  commands: [{ on: 'worker', kind: 'shell', text: `make ${what}` }] as const,
  undo: [{ on: 'worker', kind: 'shell', text: `unmake ${what}` }] as const,
});

/** A small runbook over a world in memory: every kind of step, an absent one, two approvals and a point of no return. */
export const rehearsal: Runbook<{ word: string; beside?: string | undefined }, RehearsalFacts> = {
  name: 'rehearsal',
  version: 1,
  risk: 'high',
  summary: 'Tries the words of the engine.',
  input: z.strictObject({ word: z.string().min(2), beside: z.string().optional() }),
  others: ({ beside }): Readonly<Record<string, string>> => (beside === undefined ? {} : { beside }),
  steps,
  takesBack: {
    undos: { first: 'rehearsal.unmake', unneeded: 'rehearsal.unmake', second: 'rehearsal.unmake', last: 'rehearsal.unmake' },
    subject: ({ input: { word } }) => ({ word }),
  },
  variables: {},
  plan: () => ({
    look: { commands: [] },
    'agree-first': { commands: [] },
    first: make('first'),
    unneeded: { applies: false, because: 'the facts say so' },
    second: make('second'),
    wait: { commands: [] },
    'agree-last': { commands: [] },
    last: make('last'),
    tidy: { ...make('tidy'), noUndo: 'past the point of no return' },
  }),
};
