import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { crossCheck, ownersGroup, type Misfit } from './cross-check.ts';
import { parseDuration } from './duration.ts';
import { Failure } from './failure.ts';
import { name } from './name.ts';
import { rdsEntry, region } from './rds-entry.ts';
import { verificationSchema } from './verification.ts';

/** `steadyhand.yaml`: the databases, people and policies. docs/inventory.md shows one of everything. */

/**
 * Where a secret's value is: a file that holds nothing else, a variable of the process's environment, or a secret of AWS Secrets
 * Manager, of which `field` names a part where it is JSON. Never the value.
 */
const secret = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ secretsManager: z.string().min(1), region, field: z.string().min(1).optional() }),
]);

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'a duration is a number with ms, s, m, h or d, such as 24h')
  .transform((text) => parseDuration(text) ?? 0);

const port = z.number().int().min(1).max(65_535);

const sslmode = z.enum(['disable', 'require', 'verify-full']);

const server = z.strictObject({
  host: z.string().min(1),
  port: port.default(5432),
  dbname: z.string().min(1).max(63),
  user: z.string().min(1).max(63),
  secret: secret.optional(),
  sslmode: sslmode.default('verify-full'),
  sslrootcert: z.string().min(1).optional(),
});

/** How the *other* side of a migration logs in here to stream changes. Defaults to the server's own login. */
const replication = z.strictObject({
  host: z.string().min(1).optional(),
  port: port.optional(),
  user: z.string().min(1).max(63),
  secret: secret.optional(),
  /** A libpq password file on the *other* server's machine; then no password stands in the subscription. */
  passfile: z.string().optional(),
  /** Default the server's. */
  sslmode: sslmode.optional(),
  /** The authority's file on the *other* server's machine; without it libpq looks in its own place there. */
  sslrootcert: z.string().min(1).optional(),
});

const applicationUsers = z.array(z.strictObject({ name: z.string().min(1).max(63), secret: secret.optional() }));

const pgbouncer = z.strictObject({
  kind: z.literal('pgbouncer'),
  host: z.string().min(1),
  port: port.default(6432),
  /** Both for the console and for clients, both by default the server's. */
  sslmode: sslmode.optional(),
  sslrootcert: z.string().min(1).optional(),
  /** The database name that clients use at the pooler. */
  alias: z.string().min(1).max(63),
  /** A user of `admin_users`. */
  admin: z.strictObject({ user: z.string().min(1), secret: secret.optional() }),
  /** The file with the `[databases]` section; the worker must be able to write it. */
  configFile: z.string().min(1),
  /** The application's users: each is tried on the new side before traffic moves. */
  users: applicationUsers.default([]),
});

const database = z
  .strictObject({
    description: z.string().optional(),
    provider: z.enum(['streaming', 'rds']),
    server,
    /** There exactly with the provider of this name. */
    rds: rdsEntry.optional(),
    replication: replication.optional(),
    pooler: pgbouncer.optional(),
    /** The application's users that log in to the server itself. */
    users: applicationUsers.optional(),
    /** What a restored copy of it must be like. */
    verification: verificationSchema.optional(),
    /** A group of people that answers for it. In a policy's quorum it is called `owners`. */
    owners: name,
    policy: name.default('default'),
  })
  .transform(({ pooler, ...entry }) => ({ ...entry, ...(pooler ? { pooler: withTls(pooler, entry.server) } : {}) }));

function withTls(pooler: z.infer<typeof pgbouncer>, { sslmode: mode, sslrootcert }: z.infer<typeof server>): PoolerEntry {
  return { ...(sslrootcert === undefined ? {} : { sslrootcert }), ...pooler, sslmode: pooler.sslmode ?? mode };
}

const person = z.strictObject({
  name,
  groups: z.array(name).default([]),
  /** What the person is called by each channel, beside the name: all of them are one human. */
  accounts: z.record(name, z.array(z.string().min(1).max(200)).min(1)).default({}),
});

const quorum = z.array(z.strictObject({ group: name, count: z.number().int().min(1).max(10).default(1) })).min(1);

/** After a while others may answer: people of `to` as well, or `quorum` is asked instead. */
const escalation = z
  .strictObject({ after: duration, to: z.array(name).min(1).optional(), quorum: quorum.optional() })
  .refine(
    ({ to, quorum: instead }) => (to === undefined) !== (instead === undefined),
    'names `to` (as well) or `quorum` (instead), one of them',
  );

const question = z
  .strictObject({
    quorum,
    deadline: duration.default(86_400_000),
    remind: z.array(duration).default([]),
    escalate: z.array(escalation).default([]),
  })
  .superRefine(({ deadline, remind, escalate }, context) => {
    const late = (path: PropertyKey[]): void => context.addIssue({ code: 'custom', path, message: 'comes only after the deadline' });
    for (const [index, after] of remind.entries()) if (after >= deadline) late(['remind', index]);
    for (const [index, { after }] of escalate.entries()) if (after >= deadline) late(['escalate', index, 'after']);
  });

const approvalRule = z.union([z.literal('auto'), question]);

const policy = z.strictObject({
  /** The groups whose people may ask for a run. */
  requesters: z.array(name).min(1),
  /** The groups whose people may answer for a step that failed, and cancel. */
  operators: z.array(name).min(1),
  /** Whether a service's token may answer approvals and failed steps. */
  servicesAnswer: z.boolean().default(false),
  /** Whose people may pass freezes and the approvals' quorum in an emergency, and who must agree then. */
  breakGlass: z.strictObject({ groups: z.array(name).min(1), quorum: quorum.optional() }).optional(),
  /** How old the last proved restore of a database may be before people are warned. */
  provedRestore: z.union([z.literal('off'), duration]).default(30 * 86_400_000),
  approvals: z.strictObject({ low: approvalRule, medium: approvalRule, high: approvalRule }),
});

const inventorySchema = z.strictObject({
  version: z.literal(1),
  people: z.array(person).min(1),
  // Their names are checked with what else must fit: a record of names would not look into an entry whose own is wrong.
  databases: z.record(z.string(), database),
  policies: z.record(z.string(), policy),
});

export type SecretReference = z.infer<typeof secret>;
export type TlsMode = z.infer<typeof sslmode>;
export type PoolerEntry = z.infer<typeof pgbouncer> & { readonly sslmode: TlsMode };
export type DatabaseEntry = z.infer<typeof database>;
export type Policy = z.infer<typeof policy>;
export type ApprovalRule = z.infer<typeof approvalRule>;
export type Inventory = z.infer<typeof inventorySchema>;

export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/**
 * Reads the inventory's text. Throws `configuration-invalid` with *all* problems, each with its path and line; `facts.problems`
 * has them as data.
 */
export function parseInventory(text: string, file: string): Inventory {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const syntax = document.errors.map((error) => ({
    path: '',
    line: lines.linePos(error.pos[0]).line,
    message: error.message.split('\n')[0] ?? error.message,
  }));
  if (syntax.length > 0) throw invalid(file, syntax);
  const written: unknown = document.toJS();
  const parsed = inventorySchema.safeParse(written);
  const at = ([path, message]: Misfit): Problem => ({ path: path.map(String).join('.'), line: lineOf(document, lines, path), message });
  const form = parsed.success ? [] : parsed.error.issues.flatMap(misfits);
  const problems = [...form, ...crossCheck(written, form)].map(at);
  if (!parsed.success || problems.length > 0)
    throw invalid(
      file,
      problems.toSorted((one, other) => one.line - other.line),
    );
  return parsed.data;
}

/** Of a value that may have several forms, the problems of the one that was meant: that which is wrong further in. */
function misfits(issue: z.core.$ZodIssue): Misfit[] {
  const forms = issue.code === 'invalid_union' ? issue.errors : [];
  const meant = forms.find((errors) => errors.every((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
  if (!meant) return [[issue.path, issue.message]];
  return meant.flatMap((one) => misfits({ ...one, path: [...issue.path, ...one.path] }));
}

function invalid(file: string, problems: Problem[]): Failure {
  const list = problems.map((one) => `  ${file}:${one.line} ${one.path}: ${one.message}`).join('\n');
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new Failure('configuration-invalid', `${count} in the inventory:\n${list}`, { file, problems });
}

/** The line of the deepest node on the path that is there: what is missing has none of its own. */
function lineOf(document: Document, lines: LineCounter, path: PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent: unknown = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path[depth - 1]);
      if (pair && isScalar(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
    }
    const node = document.getIn(path.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line;
    }
  }
  return 1;
}

/** The inventory's entry. Throws `not-found`. */
export function databaseOf(inventory: Inventory, called: string): DatabaseEntry {
  const entry = Object.hasOwn(inventory.databases, called) ? inventory.databases[called] : undefined;
  if (!entry) {
    const known = Object.keys(inventory.databases).join(', ') || 'none';
    throw new Failure('not-found', `there is no database "${called}" in the inventory; it has: ${known}`, { database: called });
  }
  return entry;
}

/** The database's policy; the inventory's own checks have made sure that it is there. */
export function policyOf(inventory: Inventory, called: string): Policy {
  const rule = inventory.policies[databaseOf(inventory, called).policy];
  if (!rule) throw new Failure('configuration-invalid', `the policy of "${called}" is missing`);
  return rule;
}

/** The name of the person who is called so, by the name itself or by an account; undefined for nobody. */
export function personOf({ people }: Inventory, called: string): string | undefined {
  return people.find((one) => one.name === called || Object.values(one.accounts).flat().includes(called))?.name;
}

/** A person's groups as they are now, with `owners` when the person is in the database's owning group. */
export function groupsOf(inventory: Inventory, called: string, personName: string): string[] {
  const who = personOf(inventory, personName);
  const groups = inventory.people.find((one) => one.name === who)?.groups ?? [];
  return groups.includes(databaseOf(inventory, called).owners) ? [...groups, ownersGroup] : [...groups];
}
