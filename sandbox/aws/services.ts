import { AwsError } from './aws-error.ts';
import { getMetricData, getMetricStatistics } from './cloudwatch.ts';
import type { JsonCall } from './json-call.ts';
import { describeKey, disableKey, enableKey, listAliases, scheduleKeyDeletion } from './kms.ts';
import { rdsOf, type Caller, type Place } from './place.ts';
import { parseQuery, type Query } from './query.ts';
import { rdsActions, type Action } from './rds/actions.ts';
import { createSecret, describeSecret, getSecretValue, putSecretValue, updateSecretVersionStage } from './secrets-manager.ts';
import { assumeRole, getCallerIdentity } from './sts.ts';
import { element, type Xml } from './xml.ts';

/** What a service made of a request, ready to be sent. */
export interface Answer {
  readonly type: string;
  readonly body: string;
}

/** A request of which service, action and parameters are known. */
export interface Asked {
  readonly action: string;
  /** `rds:CreateDBInstance`, as policies name it. */
  readonly permission: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  perform(place: Place, region: string, caller: Caller, requestId: string): Promise<Answer>;
  refuse(error: AwsError, requestId: string): Answer;
}

type JsonAction = (call: JsonCall) => object | Promise<object>;

interface QueryService {
  readonly protocol: 'query';
  readonly prefix: string;
  readonly namespace: string;
  readonly actions: Readonly<Record<string, Action>>;
}

interface JsonService {
  readonly protocol: 'json';
  readonly prefix: string;
  readonly actions: Readonly<Record<string, JsonAction>>;
}

/** By the service's name in the scope of a signature. */
const services: Readonly<Record<string, QueryService | JsonService>> = {
  rds: { protocol: 'query', prefix: 'rds', namespace: 'http://rds.amazonaws.com/doc/2014-10-31/', actions: rdsActions },
  sts: {
    protocol: 'query',
    prefix: 'sts',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    actions: { AssumeRole: assumeRole, GetCallerIdentity: getCallerIdentity },
  },
  kms: {
    protocol: 'json',
    prefix: 'kms',
    actions: {
      DescribeKey: describeKey,
      DisableKey: disableKey,
      EnableKey: enableKey,
      ListAliases: listAliases,
      ScheduleKeyDeletion: scheduleKeyDeletion,
    },
  },
  monitoring: {
    protocol: 'json',
    prefix: 'cloudwatch',
    actions: { GetMetricData: getMetricData, GetMetricStatistics: getMetricStatistics },
  },
  secretsmanager: {
    protocol: 'json',
    prefix: 'secretsmanager',
    actions: {
      CreateSecret: createSecret,
      DescribeSecret: describeSecret,
      GetSecretValue: getSecretValue,
      PutSecretValue: putSecretValue,
      UpdateSecretVersionStage: updateSecretVersionStage,
    },
  },
};

/** What the request asks of that service; undefined for a service that the stand-in has not. */
export function readAsked(service: string, target: string | undefined, body: Buffer): Asked | undefined {
  const found = services[service];
  if (!found) return undefined;
  return found.protocol === 'query' ? askedByQuery(found, parseQuery(body.toString('utf8'))) : askedByJson(found, target ?? '', body);
}

function askedByQuery({ prefix, namespace, actions }: QueryService, query: Query): Asked {
  const { action } = query;
  const xmlns = ` xmlns="${namespace}"`;
  const answer = (name: string, content: Xml): Answer => ({
    type: 'text/xml',
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, content, xmlns)}`,
  });
  return {
    action,
    permission: `${prefix}:${action}`,
    parameters: query.all(),
    perform: async (place, region, caller, requestId) => {
      const perform = actions[action];
      if (!perform) throw new AwsError('InvalidAction', `Could not find operation ${action}; the stand-in has not all of them`);
      const result = await perform({ place, region, rds: rdsOf(place, region), query, caller });
      return answer(`${action}Response`, { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } });
    },
    refuse: ({ code, message, status }, requestId) =>
      answer('ErrorResponse', {
        Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
        RequestId: requestId,
      }),
  };
}

/** The codes that the JSON services have for what the others call differently. */
const jsonCodes: Readonly<Record<string, string>> = {
  InvalidClientTokenId: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  ExpiredToken: 'ExpiredTokenException',
  AccessDenied: 'AccessDeniedException',
  Throttling: 'ThrottlingException',
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
};

function askedByJson({ prefix, actions }: JsonService, target: string, body: Buffer): Asked {
  const action = target.slice(target.lastIndexOf('.') + 1);
  const input = record(body);
  const type = 'application/x-amz-json-1.1';
  return {
    action,
    permission: `${prefix}:${action}`,
    parameters: input,
    perform: async (place, region) => {
      const perform = actions[action];
      if (!perform) throw new AwsError('UnknownOperationException', `Could not find operation ${action}; the stand-in has not all of them`);
      return { type, body: JSON.stringify(await perform({ place, region, input })) };
    },
    refuse: ({ code, message }) => ({ type, body: JSON.stringify({ __type: jsonCodes[code] ?? code, message }) }),
  };
}

function record(body: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(body.toString('utf8') || '{}');
  if (typeof value !== 'object' || value === null) throw new AwsError('SerializationException', 'The body is no object');
  return Object.fromEntries(Object.entries(value));
}
