import { inspect } from 'node:util';
import { ConsoleLogger, type LogLevel as NestLogLevel } from '@nestjs/common';
import { describeError } from '@mridang/nestjs-auth';
import type { DestinationStream, Logger } from 'pino';
import type { Env, LogLevel } from '../config/env.js';
import { jsonLines } from './json-lines.js';
import { redacted } from './redacted.js';

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

const levels: Record<NestLogLevel, 'fatal' | 'error' | 'warn' | 'info' | 'debug'> = {
  fatal: 'fatal',
  error: 'error',
  warn: 'warn',
  log: 'info',
  debug: 'debug',
  verbose: 'debug',
};

/** What has one of these names is never logged, whatever it holds, however deep and in whatever case. */
const secretNames = [
  'authorization',
  'cookie',
  'cookies',
  'set-cookie',
  'password',
  'secret',
  'token',
  'code',
  'state',
  'nonce',
  'key',
  'access_token',
  'refresh_token',
  'id_token',
  'logout_token',
  'client_secret',
  'client_assertion',
  'code_verifier',
  'csrfToken',
  'accessToken',
  'refreshToken',
  'idToken',
  'clientSecret',
];

/** Readable lines in development, JSON in production, no secrets in either; how much, `LOG_LEVEL` decides. */
export class AppLogger extends ConsoleLogger {
  private readonly json: Logger | undefined;

  /** @param destination of the JSON lines: standard output, unless told otherwise */
  constructor(
    { production, logLevel }: Pick<Env, 'production' | 'logLevel'>,
    destination?: DestinationStream,
  ) {
    super({ logLevels: shown[logLevel], redact: { paths: secretNames, censor: '[redacted]' } });
    if (production) this.json = jsonLines(logLevel, destination);
  }

  override log(message: unknown, ...rest: unknown[]) {
    const isFrameworks = frameworkContexts.includes(String(rest.at(-1)));
    if (!isFrameworks || this.isLevelEnabled('debug')) super.log(message, ...(rest as [string]));
  }

  /** A start that failed is said once, by `main.ts`. */
  override error(message: unknown, ...rest: unknown[]) {
    if (rest.at(-1) !== 'NestApplication') super.error(message, ...(rest as [string]));
  }

  protected override printMessages(
    messages: unknown[],
    context?: string,
    level: NestLogLevel = 'log',
    stream?: 'stdout' | 'stderr',
    stack?: unknown,
    about?: Record<string, unknown>,
  ) {
    if (!this.json) return super.printMessages(messages, context, level, stream, stack, about);
    const fields = { context, ...about, ...(stack === undefined ? {} : { stack }) };
    for (const message of messages)
      this.json[levels[level]](this.redact(fields) as object, this.textOf(message));
  }

  private textOf(message: unknown): string {
    if (typeof message === 'string') return message;
    // Compact, or long texts would be cut in pieces, and what is secret in them not be seen.
    return message instanceof Error
      ? describeError(message)
      : inspect(this.redact(message), { compact: true, breakLength: Infinity });
  }

  protected override printStackTrace(stack: string) {
    if (!this.json && stack) super.printStackTrace(redacted(stack));
  }

  protected override formatMessage(...parts: Parameters<ConsoleLogger['formatMessage']>): string {
    return redacted(super.formatMessage(...parts));
  }
}
