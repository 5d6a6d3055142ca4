import { AwsError } from '../aws-error.ts';
import type { Query } from '../query.ts';
import { isAuthority } from './authorities.ts';
import type { Instance } from './model.ts';

export function certificate(query: Query): string | undefined {
  const name = query.text('CACertificateIdentifier');
  if (name === undefined || isAuthority(name)) return name;
  throw new AwsError('CertificateNotFound', `Certificate not found: ${name}`, 404);
}

function oneOf(query: Query, name: string, values: readonly string[]): string | undefined {
  const value = query.text(name);
  if (value === undefined || values.includes(value)) return value;
  throw new AwsError('InvalidParameterValue', `Invalid value for ${name}: ${value}. Valid values are ${values.join(', ')}.`);
}

export const networkType = (query: Query): string | undefined => oneOf(query, 'NetworkType', ['IPV4', 'DUAL']);

export const lifeCycleSupport = (query: Query): string | undefined =>
  oneOf(query, 'EngineLifecycleSupport', ['open-source-rds-extended-support', 'open-source-rds-extended-support-disabled']);

/** Where the storage stops growing by itself: more than it has now. */
export function maxStorage(query: Query, storage: number): number | undefined {
  const max = query.whole('MaxAllocatedStorage');
  if (max === undefined || max >= storage * 1.1) return max;
  throw new AwsError('InvalidParameterCombination', `Max storage size must be at least 10 % greater than ${storage}`);
}

export type Watching = Pick<
  Instance,
  'performanceInsights' | 'insightsMode' | 'insightsKey' | 'insightsRetention' | 'monitoringInterval' | 'monitoringRole'
>;

export const unwatched: Watching = {
  performanceInsights: false,
  insightsMode: 'standard',
  insightsKey: undefined,
  insightsRetention: 7,
  monitoringInterval: 0,
  monitoringRole: undefined,
};

/** How it is watched from now on. Throws what AWS refuses: a key without insights, another key, a mode that keeps too little. */
export function watching(query: Query, now: Watching, ownKey: string): Watching {
  const performanceInsights = query.flag('EnablePerformanceInsights') ?? now.performanceInsights;
  const key = query.text('PerformanceInsightsKMSKeyId');
  const wanted: Watching = {
    performanceInsights,
    insightsMode: oneOf(query, 'DatabaseInsightsMode', ['standard', 'advanced']) ?? now.insightsMode,
    insightsKey: performanceInsights ? (key ?? now.insightsKey ?? ownKey) : undefined,
    insightsRetention: query.whole('PerformanceInsightsRetentionPeriod') ?? now.insightsRetention,
    monitoringInterval: query.whole('MonitoringInterval') ?? now.monitoringInterval,
    monitoringRole: query.text('MonitoringRoleArn') ?? now.monitoringRole,
  };
  const refused = (message: string): AwsError => new AwsError('InvalidParameterCombination', message);
  if (key !== undefined && !performanceInsights) throw refused('PerformanceInsightsKMSKeyId needs Performance Insights to be enabled.');
  if (now.performanceInsights && performanceInsights && wanted.insightsKey !== now.insightsKey)
    throw refused('You can not change your Performance Insights KMS key.');
  if (wanted.insightsMode === 'advanced' && (!performanceInsights || wanted.insightsRetention < 465))
    throw refused('The advanced mode of Database Insights needs Performance Insights with a retention of at least 465 days.');
  if (wanted.monitoringInterval > 0 && wanted.monitoringRole === undefined)
    throw refused('A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.');
  return wanted;
}
