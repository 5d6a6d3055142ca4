/** What a command sees of the world around it: tests make their own. */
export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was asked for: stdout. */
  out(text: string): void;
  /** What is said beside it: stderr. */
  err(text: string): void;
  /** Whether a person sits at the other end of stdin and stdout. */
  readonly tty: boolean;
  readonly size: () => { columns: number; rows: number };
  /** Asks for yes or no; only with a TTY. */
  confirm(question: string): Promise<boolean>;
  now(): number;
  wait(ms: number): Promise<void>;
  /** The exit code becomes 1 when all is done: what was asked for was found to be bad. */
  bad(): void;
}

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
