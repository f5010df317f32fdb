import { LeanExpressAdapter, startProgram } from '@mridang/nestjs-program';
import { RedactingLogger } from '@mridang/nestjs-zitadel';
import { AppModule } from './app.module.js';
import { configureApp } from './app.setup.js';
import { readEnv } from './config/env.js';
import { rolesCount } from './config/shared-variables.js';
import { variableNames } from './config/variable-names.js';

await startProgram(
  {
    variables: variableNames,
    readEnv,
    portVariable: 'PORT',
    logger: (env) => new RedactingLogger(env),
    module: (env) => AppModule.register(env),
    adapter: new LeanExpressAdapter(),
    configure: configureApp,
    ready: ({ address, production, warnings, zitadel }, logger) => {
      if (production) logger.log(rolesCount[zitadel.organizations], 'Web');
      for (const warning of warnings) logger.warn(warning, 'Configuration');
      logger.log(`Ready at ${address}`, 'Web');
    },
  },
  process.env,
);
