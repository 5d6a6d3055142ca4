import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { Failure } from '../domain/failure.ts';
import { grpc, grpcCode, grpcText, temporalFailure } from './connect.ts';
import { remembered, type Remembered } from './remembered.ts';

/** The search attributes that a namespace must have, all of them keywords. */
export const runSearchAttributes = {
  name: defineSearchAttributeKey('RunbookName', SearchAttributeType.KEYWORD),
  database: defineSearchAttributeKey('RunbookDatabase', SearchAttributeType.KEYWORD),
  state: defineSearchAttributeKey('RunbookState', SearchAttributeType.KEYWORD),
  requester: defineSearchAttributeKey('RunbookRequester', SearchAttributeType.KEYWORD),
  ticket: defineSearchAttributeKey('RunbookTicket', SearchAttributeType.KEYWORD),
} as const;

export const searchAttributeNames: readonly string[] = Object.values(runSearchAttributes).map(({ name }) => name);

const answerWithinMs = 2_000;
/** A namespace that had them all is asked again after this time: nothing removes one in daily life. */
const presentForMs = 60_000;
/** While one is missing somebody is about to create it. */
const missingForMs = 500;

/** Asks the server and remembers the answer for a while: `POST /v1/runs` and `/readyz` call it each time. */
export function searchAttributeCheck(client: Client): Remembered {
  return remembered(
    () => requireSearchAttributes(client),
    (error) => {
      if (error === undefined) return presentForMs;
      return error instanceof Failure && error.code === 'search-attributes-missing' ? missingForMs : 0;
    },
  );
}

/**
 * Throws `search-attributes-missing` with the commands that create the missing ones and replace those of another type. A server that
 * lets nobody ask passes: the start of a run then says what is wrong.
 */
export async function requireSearchAttributes(client: Client): Promise<void> {
  const listed = await typesByList(client);
  const types = listed ?? (await typesByQuery(client));
  const wrong = Object.entries(types).flatMap(([name, type]) => (type === 'Keyword' || type === 'unknown' ? [] : [{ name, type }]));
  if (wrong.length > 0) throw lacking(client.options.namespace, wrong, listed === null);
}

/** What the server knows under each of the names. `unknown`: it did not say. */
type Types = Readonly<Record<string, string>>;

const missing = 'missing';

/** Of the server's API, by number. */
const valueTypes = ['unknown', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];

/** Null where this client may not use the operator service, as at Temporal Cloud. */
async function typesByList(client: Client): Promise<Types | null> {
  const { namespace } = client.options;
  try {
    const { customAttributes, systemAttributes } = await client.withDeadline(Date.now() + answerWithinMs, () =>
      client.connection.operatorService.listSearchAttributes({ namespace }),
    );
    const known = { ...systemAttributes, ...customAttributes };
    return Object.fromEntries(searchAttributeNames.map((name) => [name, typeText(known[name])]));
  } catch (error) {
    if ([grpc.permissionDenied, grpc.unauthenticated, grpc.unimplemented].some((code) => code === grpcCode(error))) return null;
    throw temporalFailure(error, { namespace });
  }
}

function typeText(type: number | undefined | null): string {
  return type == null ? missing : (valueTypes[type] ?? 'unknown');
}

/** A query over each one: the server refuses a name that it does not know, and this operator on anything but a keyword. */
async function typesByQuery(client: Client): Promise<Types> {
  const types = await Promise.all(searchAttributeNames.map(async (name) => [name, await typeByQuery(client, name)] as const));
  return Object.fromEntries(types);
}

async function typeByQuery(client: Client, name: string): Promise<string> {
  const { namespace } = client.options;
  try {
    await client.withDeadline(Date.now() + answerWithinMs, () =>
      client.workflowService.countWorkflowExecutions({ namespace, query: `${name} STARTS_WITH "steadyhand"` }),
    );
    return 'Keyword';
  } catch (error) {
    if (grpcCode(error) !== grpc.invalidArgument) return 'unknown';
    const text = grpcText(error);
    if (/not a valid search attribute|no mapping defined|not defined/i.test(text)) return missing;
    return /not supported for (\w+) type/i.exec(text)?.[1] ?? 'unknown';
  }
}

function lacking(namespace: string, wrong: readonly { name: string; type: string }[], isCloud: boolean): Failure {
  const absent = wrong.filter((one) => one.type === missing).map((one) => one.name);
  const mistyped = wrong.filter((one) => one.type !== missing);
  const what = [
    ...(absent.length === 0 ? [] : [`lacks the search attribute${absent.length > 1 ? 's' : ''} ${absent.join(', ')}`]),
    ...mistyped.map(({ name, type }) => `has ${name} as ${type}, and a Keyword is needed`),
  ].join('; it ');
  const names = wrong.map((one) => one.name);
  const commands = isCloud
    ? cloudCommands(namespace, names)
    : operatorCommands(
        namespace,
        names,
        mistyped.map((one) => one.name),
      );
  const text = `Temporal's namespace "${namespace}" ${what}. Run:\n${commands.map((one) => `  ${one}`).join('\n')}`;
  return new Failure('search-attributes-missing', text, { namespace, missing: names });
}

/** Each name has a --type of its own: with one for all, the command creates the first one only and reports no error. */
function operatorCommands(namespace: string, names: readonly string[], mistyped: readonly string[]): string[] {
  const at = `--namespace ${namespace}`;
  return [
    ...mistyped.map((name) => `temporal operator search-attribute remove ${at} --name ${name} --yes`),
    `temporal operator search-attribute create ${at} ${names.map((name) => `--name ${name} --type Keyword`).join(' ')}`,
  ];
}

function cloudCommands(namespace: string, names: readonly string[]): string[] {
  return [
    `tcld namespace search-attributes add --namespace ${namespace} ${names.map((name) => `--search-attribute ${name}=Keyword`).join(' ')}`,
  ];
}
