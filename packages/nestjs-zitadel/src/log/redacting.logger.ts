import { inspect } from 'node:util';
import { ConsoleLogger, type LogLevel as NestLogLevel } from '@nestjs/common';
import { describeError } from '@mridang/nestjs-auth';
import { redacted, secretNames } from './redacted.js';

/** Contexts of Nest's own start-up messages, shown with `LOG_LEVEL=debug`. */
const frameworkContexts = [
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
];

const shown = {
  error: ['fatal', 'error'],
  warn: ['fatal', 'error', 'warn'],
  info: ['fatal', 'error', 'warn', 'log'],
  debug: ['fatal', 'error', 'warn', 'log', 'debug'],
} satisfies Record<string, NestLogLevel[]>;

/** The least severe level that is logged. */
export type LogLevel = keyof typeof shown;

type JsonOptions = Parameters<ConsoleLogger['getJsonLogObject']>[1];

/** Nest's logger: readable lines, or with `production` one JSON object per line. Secrets, tokens and cookies are redacted in both. */
export class RedactingLogger extends ConsoleLogger {
  constructor({ production, logLevel }: { production: boolean; logLevel: LogLevel }) {
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
