import { inspect } from 'node:util';
import { ConsoleLogger, type LogLevel as NestLogLevel } from '@nestjs/common';
import { describeError } from '@mridang/nestjs-auth';
import type { Env, LogLevel } from '../config/env.js';
import { redacted, secretNames } from './redacted.js';

/** Contexts of Nest's own start-up messages, shown with `LOG_LEVEL=debug`. */
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

type JsonOptions = Parameters<ConsoleLogger['getJsonLogObject']>[1];

/** Nest's logger: readable lines in development, JSON in production, secrets redacted in both. */
export class AppLogger extends ConsoleLogger {
  constructor({ production, logLevel }: Pick<Env, 'production' | 'logLevel'>) {
    super({
      json: production,
      logLevels: shown[logLevel],
      redact: { paths: secretNames, censor: '[redacted]' },
    });
  }

  override log(message: unknown, ...rest: unknown[]) {
    const isFrameworks = frameworkContexts.includes(String(rest.at(-1)));
    if (!isFrameworks || this.isLevelEnabled('debug')) super.log(message, ...(rest as [string]));
  }

  /** `main.ts` reports a failed start. */
  override error(message: unknown, ...rest: unknown[]) {
    if (rest.at(-1) !== 'NestApplication') super.error(message, ...(rest as [string]));
  }

  protected override printAsJson(message: unknown, options: JsonOptions) {
    super.printAsJson(message, { ...options, writeStreamType: 'stdout' });
  }

  protected override getJsonLogObject(message: unknown, options: JsonOptions) {
    const { logLevel, context, params, errorStack, error } = options;
    return {
      level: (logLevel === 'log' ? 'info' : logLevel) as NestLogLevel,
      time: new Date().toISOString(),
      context,
      ...params,
      ...(errorStack === undefined ? {} : { stack: errorStack }),
      msg: error ? describeError(error) : this.textOf(message),
    } as never;
  }

  /** Compact, since long texts would be cut in pieces in which secrets are not recognized. */
  private textOf(message: unknown): string {
    return typeof message === 'string' ? message : inspect(message, { compact: true, breakLength: Infinity });
  }

  protected override stringifyJsonLogObject(logObject: Record<string, unknown>): string {
    return redacted(super.stringifyJsonLogObject(logObject));
  }

  protected override printStackTrace(stack: string) {
    super.printStackTrace(stack && redacted(stack));
  }

  protected override formatMessage(...parts: Parameters<ConsoleLogger['formatMessage']>): string {
    return redacted(super.formatMessage(...parts));
  }
}
