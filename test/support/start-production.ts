import { resolve } from 'node:path';
import { startSandbox } from 'zitadel-sandbox';
import { freePort } from './free-port.js';
import { runProgram } from './run-program.js';
import { environment, redirectUrisOf } from './start-app.js';

/** Starts the built web application in production as a separate process, and a sandbox. */
export async function startProduction(env: Record<string, string> = {}) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const sandbox = await startSandbox({
    web: redirectUrisOf(origin),
  });
  const program = runProgram(process.execPath, [resolve('dist/main.js')], {
    ...environment(origin, sandbox),
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    ...env,
  });
  await program.says('Ready at');
  return { port, origin, sandbox, program };
}
