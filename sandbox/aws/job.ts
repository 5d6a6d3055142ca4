/** Something that takes time. It stands in the state, so it goes on after a restart, its present phase from the phase's beginning. */
export interface Job {
  readonly number: number;
  readonly kind: string;
  readonly region: string;
  /** The resource id of an instance, or a snapshot's key. */
  readonly resource: string;
  readonly input: Readonly<Record<string, string | number | boolean | undefined>>;
  phase: number;
  /** When the phase began, in milliseconds; undefined before. */
  since: number | undefined;
}

export interface Jobs {
  begin(kind: string, region: string, resource: string, input?: Job['input']): void;
  /** Takes up what an earlier start left. */
  resume(): void;
  /** Waits for the work in hand; the jobs stay in the state. */
  stop(): Promise<void>;
}
