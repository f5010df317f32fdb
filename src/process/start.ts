import { once } from 'node:events';
import { createServer } from 'node:net';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ConfigError, explain } from '../config/config-error.js';
import { loadEnvFile } from '../config/env-file.js';
import type { LogLevel } from '../config/env.js';
import { AppLogger } from '../observability/app.logger.js';
import type { LeanExpressAdapter } from '../web/lean-express.adapter.js';
import { stopOnSignal } from './stop-on-signal.js';

interface Program<Env> {
  readEnv(source: Record<string, string | undefined>): Env;
  /** name of the variable with the port */
  portVariable: string;
  module(env: Env): DynamicModule;
  adapter: LeanExpressAdapter;
  configure(app: NestExpressApplication): void;
  /** logs what there is to say of the start */
  ready(env: Env, logger: LoggerService): void;
}

/** Starts a program, which runs until a signal stops it. Prints why it cannot start, and exits with code 1. */
export async function start<Env extends { port: number; production: boolean; logLevel: LogLevel }>(
  program: Program<Env>,
  environment: Record<string, string | undefined>,
): Promise<void> {
  try {
    loadEnvFile(environment);
    const env = program.readEnv(environment);
    await checkPort(env.port);
    const logger = new AppLogger(env);
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
