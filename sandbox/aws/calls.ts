import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** One call as it came in and was answered. */
export interface CallRecord {
  readonly at: string;
  readonly requestId: string;
  readonly service: string;
  readonly action: string;
  readonly region: string;
  readonly accessKeyId: string;
  /** As CloudTrail keeps it: the SDK, and what the caller says of itself. */
  readonly userAgent: string;
  /** As they were sent; secret ones are `***`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** AWS's code of a refusal. */
  readonly code?: string;
  /** The kinds of the faults that hit it. */
  readonly faults?: readonly string[];
}

export interface CallLog {
  add(record: CallRecord): void;
  all(): readonly CallRecord[];
}

const secret = /password|secretstring|secretbinary|token|presignedurl/i;

/** Kept in a file too, a line each, so that a restart keeps them. */
export function openCallLog(file: string): CallLog {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  // A kill may have cut the last line.
  const records = lines.flatMap((line) => parsed(line));
  return {
    add: (record) => {
      records.push(record);
      appendFileSync(file, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    },
    all: () => records,
  };
}

function parsed(line: string): CallRecord[] {
  try {
    // Nobody but this program writes the file.
    return [JSON.parse(line) as CallRecord];
  } catch {
    return [];
  }
}

export function withoutSecrets(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, secret.test(name) ? '***' : value]));
}
