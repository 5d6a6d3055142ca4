import type { Client } from '@temporalio/client';
import type { Control } from '../../control/contract.ts';
import type { Command } from '../../domain/command.ts';
import type { Inventory } from '../../domain/inventory.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import type { Fault as CallFault } from '../../sandbox/aws/faults.ts';
import type { Faults } from './faults.ts';

/** A runbook under proof, as its test file says it: all proofs need no more. */
export interface Subject {
  readonly runbook: AnyRunbook;
  /** Steps that the plan of its worlds leaves out. */
  readonly absent?: readonly string[];
  /** Steps before the point of no return that leave nothing to take back, and so can't be started again. */
  readonly noUndo?: readonly string[];
  /** Changes that a second delivery makes again instead of adopting them: they say above themselves why that is harmless. */
  readonly remade?: readonly string[];
  /** Steps before the last one that remove what earlier ones made: begun anew before those, a run would have to make it again. */
  readonly takesAway?: readonly string[];
  /** Steps before which a reset has people asked again: the plan that is made anew tells of what the run has made by then. */
  readonly askedAgain?: readonly string[];
  /** Who asks, who agrees (all of them, to every approval), and who answers for failed steps. */
  readonly people: { readonly asks: string; readonly agree: readonly string[]; readonly operates: string };
  /** What is shared by the cases of a file: servers, a control database, a worker. On the tests' Temporal server, or another one. */
  stage(temporal?: string): Promise<Stage>;
}

export interface ProcessOf {
  readonly subject: 'cutover' | 'rds' | 'rehearsal';
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly address: string;
  readonly bundle: string;
}

export interface Stage {
  /** As people and tests see it. */
  readonly control: Control;
  readonly client: Client;
  readonly taskQueue: string;
  readonly faults: Faults;
  inventory(): Inventory;
  /** Another worker in this process, with the same faults, for a queue of its own. Returns what stops it. */
  worker(taskQueue: string): Promise<() => Promise<void>>;
  /** What a worker process of its own is made from. */
  readonly processOf: ProcessOf;
  /** A database of the runbook's own for one case, as it is before a run. */
  world(): Promise<World>;
  end(): Promise<void>;
}

/** One thing that a step, or its undo, has done. */
export interface Executed extends Pick<Command, 'on' | 'text'> {
  readonly step: string;
  /** It was turned away: nothing came of it. */
  readonly refused?: boolean;
  /** A fault met it. */
  readonly disturbed?: boolean;
}

/** A thing at the provider that a run makes, under the run's own name. */
export interface Made {
  readonly kind: 'instance' | 'snapshot';
  readonly where: 'home' | 'abroad';
}

/** What a world does to a run's calls to a provider. */
export interface Calls {
  /** What goes wrong with the next of them. It is taken away at the end. */
  fault(fault: Omit<CallFault, 'region'>, where?: Made['where']): void;
  /** How often a fault has hidden from a look what is there. */
  hidden(): number;
  /** Somebody else makes such a thing by that name; returns when it is whole. */
  occupy(made: Made, name: string): Promise<void>;
  /** Somebody else changes what the run has made by that name (instances only), or removes it; returns when that is done. */
  alter(made: Made, name: string): Promise<void>;
  remove(made: Made, name: string): Promise<void>;
  /** Of what has the name, its provider's own name: a new one has another. Undefined when there is none. */
  identity(made: Made, name: string): Promise<string | undefined>;
}

/** What one run changes, and how it is judged. */
export interface World {
  /** Its name in the inventory. */
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Everything that a run could leave or take, object by object; two of them are compared. */
  snapshot(): Promise<unknown>;
  /** What the run has executed so far, as the world itself tells it: a server's log. In order, each time that it was executed. */
  executed(): Promise<Executed[]>;
  /** Whether this makes something that may be made once only. */
  makes(executed: Executed): boolean;
  /** Absent where a run calls no provider. */
  readonly calls?: Calls;
  /** After a run that succeeded: throws or expects what must hold, such as zeros. `skipped`: a step that people passed over. */
  judge(skipped?: string): Promise<void>;
  end(): Promise<void>;
}
