import { ConsoleLogger, type LogLevel as NestLogLevel } from '@nestjs/common';
import type { Env, LogLevel } from '../config/env.js';

/** What Nest says about its own start; of use to somebody who debugs it. */
const frameworkContexts = [
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
];

const shown: Record<LogLevel, NestLogLevel[]> = {
  error: ['fatal', 'error'],
  warn: ['fatal', 'error', 'warn'],
  info: ['fatal', 'error', 'warn', 'log'],
  debug: ['fatal', 'error', 'warn', 'log', 'debug'],
};

/** Readable lines in development, JSON in production; how much, `LOG_LEVEL` decides. */
export class AppLogger extends ConsoleLogger {
  constructor({ production, logLevel }: Pick<Env, 'production' | 'logLevel'>) {
    super({ json: production, logLevels: shown[logLevel] });
  }

  override log(message: unknown, ...rest: unknown[]) {
    const isFrameworks = frameworkContexts.includes(String(rest.at(-1)));
    if (!isFrameworks || this.isLevelEnabled('debug')) super.log(message, ...(rest as [string]));
  }

  /** A start that failed is said once, by `main.ts`. */
  override error(message: unknown, ...rest: unknown[]) {
    if (rest.at(-1) !== 'NestApplication') super.error(message, ...(rest as [string]));
  }
}
