import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { readApiEnv } from '../config/api-env.js';
import { loadEnvFile } from '../config/env-file.js';
import { AppLogger } from '../observability/app.logger.js';
import { checkPort } from '../process/check-port.js';
import { startProblem } from '../process/start-problem.js';
import { stopOnSignal } from '../process/stop-on-signal.js';
import { ApiModule } from './api.module.js';
import { apiAdapter, configureApi } from './api.setup.js';

try {
  loadEnvFile(process.env);
  const env = readApiEnv(process.env);
  await checkPort(env.port);
  const logger = new AppLogger(env);
  const app = await NestFactory.create<NestExpressApplication>(ApiModule.register(env), apiAdapter(), {
    logger,
    bodyParser: false,
  });
  configureApi(app);
  stopOnSignal(app);
  await app.listen(env.port);
  const { appId, clientId } = env.key;
  logger.log(
    `Ready at http://localhost:${env.port}/api/v1/app, checks tokens as application ${appId ?? clientId}`,
    'API',
  );
  if (!env.projectId) {
    logger.warn(
      'Without IDP_PROJECT_ID a token counts that is meant for whichever project it was asked for: set it to the project of this API',
      'API',
    );
  }
} catch (error) {
  process.stderr.write(`${startProblem(error, 'APP_PORT')}\n`);
  process.exit(1);
}
