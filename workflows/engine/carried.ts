import { newMemory, type OpenQuestion, type Pending, type RunMemory, type StepStanding } from './state.ts';

type Kept = Pick<
  RunMemory,
  'state' | 'admission' | 'outline' | 'undos' | 'lease' | 'changed' | 'pastNoReturn' | 'cancelled' | 'failure' | 'pending'
>;

/** The memory of a run as the next execution begins with it: JSON alone. */
export interface Carried extends Kept {
  readonly steps: readonly (readonly [string, StepStanding])[];
  readonly results: readonly (readonly [string, unknown])[];
  readonly openings: readonly (readonly [string, number])[];
  readonly question?: Pick<OpenQuestion, 'approval' | 'kind' | 'digest' | 'choices' | 'opening'>;
}

export function carried(memory: RunMemory): Carried {
  const { state, admission, outline, undos, lease, changed, pastNoReturn, cancelled, failure, question } = memory;
  const pending = question?.again ?? memory.pending;
  return {
    ...{ state, undos, lease, changed, pastNoReturn },
    ...(admission ? { admission } : {}),
    ...(outline ? { outline } : {}),
    ...(cancelled ? { cancelled } : {}),
    ...(failure ? { failure } : {}),
    ...(pending ? { pending } : {}),
    ...(question ? { question: asked(question) } : {}),
    steps: [...memory.steps],
    results: [...memory.results].filter(([, result]) => result !== undefined),
    openings: [...memory.openings],
  };
}

function asked({ approval, kind, digest, choices, opening }: OpenQuestion): Carried['question'] {
  return { approval, kind, digest, choices, opening };
}

/** An open question is heard from the first message on; its story opens it again, under its own number. */
export function restored(runbook: string, { question, steps, results, openings, ...kept }: Carried): RunMemory {
  const memory: RunMemory = {
    ...newMemory(runbook),
    ...kept,
    steps: new Map(steps.map(([id, standing]): [string, StepStanding] => [id, { ...standing }])),
    results: new Map(results),
    openings: new Map(openings),
    ...(question ? { question: { ...question, opens: true } } : {}),
  };
  if (question) memory.openings.set(question.approval, question.opening - 1);
  return memory;
}

/** What the run waited for when it was continued, once: the step of this id goes on with it. */
export function takePending<Kind extends Pending['kind']>(
  memory: RunMemory,
  step: string,
  kind: Kind,
): Extract<Pending, { kind: Kind }> | undefined {
  const { pending } = memory;
  if (pending?.step !== step || pending.kind !== kind) return undefined;
  delete memory.pending;
  // Its kind was looked at.
  return pending as Extract<Pending, { kind: Kind }>;
}
