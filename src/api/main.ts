import { startProgram } from '@mridang/nestjs-program';
import { RedactingLogger } from '@mridang/nestjs-zitadel';
import { readApiEnv } from '../config/api-env.js';
import { NO_PROJECT, rolesCount } from '../config/shared-variables.js';
import { variableNames } from '../config/variable-names.js';
import { ApiModule } from './api.module.js';
import { apiAdapter, configureApi } from './api.setup.js';

await startProgram(
  {
    variables: variableNames,
    readEnv: readApiEnv,
    portVariable: 'APP_PORT',
    logger: (env) => new RedactingLogger(env),
    module: (env) => ApiModule.register(env),
    adapter: apiAdapter(),
    configure: configureApi,
    ready: ({ port, production, key: { appId, clientId }, projectId, zitadel }, logger) => {
      if (production) logger.log(rolesCount[zitadel.organizations], 'API');
      const address = `http://localhost:${port}/api/v1/app`;
      logger.log(`Ready at ${address}, checks tokens as application ${appId ?? clientId}`, 'API');
      if (projectId) return;
      logger.warn(NO_PROJECT, 'API');
    },
  },
  process.env,
);
