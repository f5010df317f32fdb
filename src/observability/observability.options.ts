import type { LogLevel } from '@mridang/nestjs-zitadel';

export interface ObservabilityOptions {
  logLevel: LogLevel;
  /** for `/metrics` from other machines */
  metricsToken: string | undefined;
  redisUrl?: string | undefined;
}

export const OBSERVABILITY_OPTIONS = Symbol('ObservabilityOptions');
