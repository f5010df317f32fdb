import { once } from 'node:events';
import { createServer } from 'node:net';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ConfigError, explain } from './config-error.js';
import { loadEnvFile } from './env-file.js';
import type { LeanExpressAdapter } from './lean-express.adapter.js';
import { stopOnSignal } from './stop-on-signal.js';

/** A program that is configured by environment variables. */
export interface Program<Env> {
  /** names of its variables, and of others that `.env` has */
  variables: readonly string[];
  /** Throws `ConfigError`. */
  readEnv(source: Record<string, string | undefined>): Env;
  /** name of the variable with the port */
  portVariable: string;
  logger(env: Env): LoggerService;
  module(env: Env): DynamicModule;
  adapter: LeanExpressAdapter;
  configure(app: NestExpressApplication): void;
  /** logs what there is to say of the start */
  ready(env: Env, logger: LoggerService): void;
}

/**
 * Starts a program, which runs until a signal stops it. Prints why it cannot start, and exits with code 1.
 *
 * @param environment `process.env`; the variables of `.env` are added to it
 */
export async function startProgram<Env extends { port: number }>(
  program: Program<Env>,
  environment: Record<string, string | undefined>,
): Promise<void> {
  try {
    loadEnvFile(environment, program.variables);
    const env = program.readEnv(environment);
    await checkPort(env.port);
    const logger = program.logger(env);
    const options = { logger, bodyParser: false };
    const app = await NestFactory.create<NestExpressApplication>(
      program.module(env),
      program.adapter,
      options,
    );
    program.configure(app);
    stopOnSignal(app);
    await app.listen(env.port);
    program.ready(env, logger);
  } catch (error) {
    process.stderr.write(`${startProblem(error, program.portVariable)}\n`);
    process.exit(1);
  }
}

/** Rejects as `listen` would (`EADDRINUSE`, `EACCES`), before the program logs anything else. */
async function checkPort(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

function startProblem(error: unknown, portVariable: string): string {
  if (error instanceof ConfigError) return explain(error);
  const { code, port } = error as { code?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use. Stop what listens there, or set ${portVariable} to another one.`;
  if (code === 'EACCES')
    return `Port ${port} needs more rights than this program has. Set ${portVariable} to one above 1023.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
