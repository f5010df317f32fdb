import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { configureApp } from './app.setup.js';
import { AppLogger } from './observability/app.logger.js';
import { checkPort } from './process/check-port.js';
import { LeanExpressAdapter } from './web/lean-express.adapter.js';
import { startProblem } from './process/start-problem.js';
import { stopOnSignal } from './process/stop-on-signal.js';
import { loadEnvFile } from './config/env-file.js';
import { readEnv } from './config/env.js';

try {
  loadEnvFile(process.env);
  const env = readEnv(process.env);
  await checkPort(env.port);
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
  stopOnSignal(app);
  await app.listen(env.port);
  for (const warning of env.warnings) logger.warn(warning, 'Configuration');
  logger.log(`Ready at ${env.address}`, 'Web');
} catch (error) {
  process.stderr.write(`${startProblem(error, 'PORT')}\n`);
  process.exit(1);
}
