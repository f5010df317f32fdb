import { startSandbox, type SandboxOptions } from 'zitadel-sandbox';
import { Browser } from './browser.js';
import { FailuresController } from './failures.controller.js';
import { freePort } from './free-port.js';
import { apiEnvironment, startApi } from './start-api.js';
import { environment, launch, redirectUrisOf, type RunningApp } from './start-app.js';

/** The web application with routes that fail, and the API that it calls. */
export async function startAppWithApi(options: SandboxOptions = {}): Promise<RunningApp> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const sandbox = await startSandbox({
    ...options,
    web: redirectUrisOf(origin),
  });
  const api = await startApi(apiEnvironment(sandbox));
  const env = { API_URL: api.origin, ZITADEL_REGISTRATION: 'true', ZITADEL_USER_METADATA: 'true' };
  const app = await launch({ ...environment(origin, sandbox), ...env }, port, {
    controllers: [FailuresController],
  });
  return {
    origin,
    sandbox,
    app,
    browser: () => new Browser(origin),
    close: async () => {
      await Promise.all([app.close(), api.close()]);
      await sandbox.close();
    },
  };
}
