import type { LogLevel } from '../config/env.js';

export interface ObservabilityOptions {
  logLevel: LogLevel;
  /** for `/metrics` from other machines */
  metricsToken: string | undefined;
  redisUrl?: string | undefined;
}

export const OBSERVABILITY_OPTIONS = Symbol('ObservabilityOptions');
