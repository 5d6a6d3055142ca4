import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { Attempt } from '../attempt.ts';
import { awsActions, type AwsAction, type AwsCalls } from './calls.ts';
import { awsFailure, credentialsExpired } from './failure.ts';

/** The way to AWS. Endpoints and credentials come as the SDK finds them by itself: environment, files, the machine's role. */
export interface Aws {
  /**
   * Makes one call in a region. What changes something is sent once and never again by itself. `subject` is what the call is about,
   * for the message of an error; `by` is the attempt that changes something, so that AWS's own record of calls (CloudTrail) has its
   * key at the end of the user agent, as a server's log has the name of the step. Raises `provider-busy`, `provider-refused`, `quota-exceeded`, `privilege-missing` (names the
   * permission), `not-found`, `login-refused` and `unreachable`; with the last, a change may have happened all the same.
   */
  call<Action extends AwsAction>(
    region: string,
    action: Action,
    input: AwsCalls[Action][0],
    subject?: string,
    by?: Pick<Attempt, 'key'>,
  ): Promise<AwsCalls[Action][1]>;
}

interface Client {
  send(command: unknown): Promise<unknown>;
  destroy(): void;
}

type Classes = Readonly<Record<string, new (input: unknown) => unknown>>;

/** Loaded when a database of AWS's is used: RDS alone takes a quarter of a second. */
const services: Readonly<Record<string, { readonly client: string; load(): Promise<object> }>> = {
  rds: { client: 'RDSClient', load: () => import('@aws-sdk/client-rds') },
  kms: { client: 'KMSClient', load: () => import('@aws-sdk/client-kms') },
  secretsmanager: { client: 'SecretsManagerClient', load: () => import('@aws-sdk/client-secrets-manager') },
  cloudwatch: { client: 'CloudWatchClient', load: () => import('@aws-sdk/client-cloudwatch') },
};

/** Connects to nothing before the first call. */
export function createAws(): Aws {
  const clients = new Map<string, Client>();
  const send = async (region: string, action: AwsAction, input: unknown, by: Pick<Attempt, 'key'> | undefined): Promise<unknown> => {
    const [service = '', verb = ''] = action.split(':');
    const classes = await classesOf(service);
    const kind = awsActions[action];
    const key = `${service} ${region} ${kind}`;
    const client = clients.get(key) ?? clientOf(classes, service, { region, maxAttempts: kind === 'look' ? 3 : 1 });
    clients.set(key, client);
    const command = construct(classes, `${verb}Command`, input);
    if (by) nameCaller(command, by.key);
    return await client.send(command);
  };
  const forget = (): void => {
    for (const client of clients.values()) client.destroy();
    clients.clear();
  };
  return {
    call: async (region, action, input, subject, by) => {
      const site = { action, region, ...(subject === undefined ? {} : { subject }) };
      try {
        // The command of this name answers so: AwsCalls pairs them.
        return (await readingAgain(forget, () => send(region, action, input, by))) as AwsCalls[typeof action][1];
      } catch (error) {
        throw awsFailure(error, site);
      }
    },
  };
}

/** A call that was turned away for credentials that have run out was not made: it is made with those that are there now. */
async function readingAgain<Result>(forget: () => void, send: () => Promise<Result>): Promise<Result> {
  try {
    return await send();
  } catch (error) {
    if (!credentialsExpired(error)) throw error;
    forget();
    return await send();
  }
}

async function classesOf(service: string): Promise<Classes> {
  const known = services[service];
  if (!known) throw new Error(`no client for ${service}`);
  // Of its exports only classes are asked for, and by names that AwsCalls pairs with types.
  return (await known.load()) as Classes;
}

interface SdkCommand {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: unknown) => Promise<unknown>, context: { userAgent?: readonly [string][] }) => (args: unknown) => unknown,
      options: { readonly step: 'initialize' },
    ): void;
  };
}

/** The SDK's own way to add to the user agent of one call; signs that may not stand there become dashes. */
function nameCaller(command: unknown, key: string): void {
  // Every command of the SDK is one of these.
  (command as SdkCommand).middlewareStack.add(
    (next, context) => async (args) => {
      context.userAgent = [...(context.userAgent ?? []), [`steadyhand/${key}`]];
      return await next(args);
    },
    { step: 'initialize' },
  );
}

const answerWithinMs = 20_000;

function clientOf(classes: Classes, service: string, config: { region: string; maxAttempts: number }): Client {
  const made = construct(classes, services[service]?.client ?? '', {
    ...config,
    // The files are read by each new client: a file that was replaced counts.
    credentials: defaultProvider({ ignoreCache: true }),
    requestHandler: { connectionTimeout: 5_000, requestTimeout: answerWithinMs, throwOnRequestTimeout: true },
  });
  // Every client of the SDK is one of these.
  return made as Client;
}

function construct(classes: Classes, called: string, input: unknown): unknown {
  const One = classes[called];
  if (!One) throw new Error(`the SDK has no ${called}`);
  return new One(input);
}
