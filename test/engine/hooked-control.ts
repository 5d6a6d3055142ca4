import type { Control } from '../../control/contract.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';

/** What happens at calls of the control database, by `group.function`: before it is asked, or when it has answered. */
export interface ControlHooks {
  /** Called before every call of that name; what it throws is what the caller sees. */
  readonly before: Map<string, () => Promise<unknown>>;
  /** Called when the database has done it and the caller has not heard of it yet. */
  readonly after: Map<string, () => Promise<unknown>>;
  /** Every call until then fails as if nobody answered. */
  away: FailureCode | null;
}

export function newHooks(): ControlHooks {
  return { before: new Map(), after: new Map(), away: null };
}

/** The control database as a worker sees it, with hooks at every call. */
export function hookedControl(control: Control, hooks: ControlHooks): Control {
  const call = async (name: string, ask: () => Promise<unknown>): Promise<unknown> => {
    await hooks.before.get(name)?.();
    if (hooks.away !== null) throw new Failure(hooks.away, 'the control database does not answer: it is away');
    const answer = await ask();
    await hooks.after.get(name)?.();
    return answer;
  };
  return wrapped('', control, call);
}

function wrapped<Group extends object>(
  name: string,
  group: Group,
  call: (name: string, ask: () => Promise<unknown>) => Promise<unknown>,
): Group {
  return new Proxy(group, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      const path = name === '' ? String(key) : `${name}.${String(key)}`;
      if (typeof member === 'function')
        return async (...input: unknown[]) => await call(path, async () => (await Reflect.apply(member, target, input)) as unknown);
      return typeof member === 'object' && member !== null ? wrapped(path, member, call) : member;
    },
  });
}

/** A hook that runs once and leaves later calls alone. */
export function once(run: () => Promise<unknown>): () => Promise<unknown> {
  let done = false;
  return async () => {
    if (done) return;
    done = true;
    await run();
  };
}

export interface Gate {
  /** Resolves when somebody stands at the gate. */
  readonly reached: Promise<void>;
  open(): void;
  pass(): Promise<void>;
}

/** Holds up whoever passes until it is opened. */
export function newGate(): Gate {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: arrived.promise,
    open: () => opened.resolve(),
    pass: async () => {
      arrived.resolve();
      await opened.promise;
    },
  };
}
