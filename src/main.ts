import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { config } from 'dotenv';
import { AppModule } from './app.module.js';
import { configureApp } from './app.setup.js';
import { AppLogger } from './http/app.logger.js';
import { LeanExpressAdapter } from './http/lean-express.adapter.js';
import { ConfigError, explain, readEnv } from './config/env.js';

config({ quiet: true });
try {
  const env = readEnv(process.env);
  const logger = new AppLogger(env);
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.register(env),
    new LeanExpressAdapter(),
    {
      logger,
      bodyParser: false,
    },
  );
  configureApp(app);
  app.enableShutdownHooks();
  await app.listen(env.port);
  logger.log(`Ready at ${env.origin}`, 'Web');
} catch (error) {
  process.stderr.write(`${startProblem(error)}\n`);
  process.exit(1);
}

function startProblem(error: unknown): string {
  if (error instanceof ConfigError) return explain(error);
  const { code, port } = error as { code?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use. Stop what listens there, or set PORT to another one.`;
  if (code === 'EACCES')
    return `Port ${port} needs more rights than this program has. Set PORT to one above 1023.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
