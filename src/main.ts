import { AppModule } from './app.module.js';
import { configureApp } from './app.setup.js';
import { readEnv } from './config/env.js';
import { start } from './process/start.js';
import { LeanExpressAdapter } from './web/lean-express.adapter.js';

await start(
  {
    readEnv,
    portVariable: 'PORT',
    module: (env) => AppModule.register(env),
    adapter: new LeanExpressAdapter(),
    configure: configureApp,
    ready: ({ address, warnings }, logger) => {
      for (const warning of warnings) logger.warn(warning, 'Configuration');
      logger.log(`Ready at ${address}`, 'Web');
    },
  },
  process.env,
);
