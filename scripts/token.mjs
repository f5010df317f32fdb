// `npm run -s token`: an access token of oneself for the API, by device authorization (docs/api.md).
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError, explain, loadEnvFile } from '@mridang/nestjs-program';
import { DeviceTokenRefused, tokenByDevice } from '@mridang/nestjs-zitadel';
import { readCommandEnv } from '../build/config/command-env.js';
import { variableNames } from '../build/config/variable-names.js';

const usage = `TOKEN=$(npm run -s token)
npm run -s token -- [options]

Prints an access token of yours that the API takes, on standard output alone. Before, it says on standard error which page
to open, and waits until you have allowed it there.

  --env-file FILE   another file than .env
  --sandbox         the sandbox of npm run dev, although there is a .env
  --help            this text

Exit status: 0 done, 1 no token was issued, 2 wrong use or configuration.`;

const args = commandLine();
const settings = await client();
try {
  const token = await tokenByDevice(settings, ({ address, code, expiresInSeconds }) =>
    console.error(
      `Open ${address}\nand allow the request with the code ${code}. Waiting for ${Math.round(expiresInSeconds / 60)} minutes …\nIf you deny it on a page of Login V1, this program is not told: press Ctrl+C.`,
    ),
  );
  console.log(token);
} catch (error) {
  if (!(error instanceof DeviceTokenRefused)) throw error;
  const { sandboxIssuer } = settings;
  console.error(
    sandboxIssuer && !(await isThere(sandboxIssuer))
      ? `The sandbox is not running at ${sandboxIssuer}: start npm run dev`
      : error.message,
  );
  process.exitCode = 1;
}

async function client() {
  const file = args['env-file'] ?? '.env';
  const source = { ...process.env };
  try {
    if (!args.sandbox) loadEnvFile(source, variableNames, file);
    const isConfigured = source.ZITADEL_DOMAIN || source.IDP_AUTHORITY;
    if (!args.sandbox && isConfigured) return readCommandEnv(source);
    const env = readCommandEnv(await sandboxEnv());
    return { ...env, sandboxIssuer: env.issuer };
  } catch (error) {
    if (error.code === 'EISDIR' || error.code === 'EACCES') return fail(`--env-file: ${file} cannot be read`);
    if (!(error instanceof ConfigError)) throw error;
    return fail(explain(error));
  }
}

/** Whether anything listens at an address. */
function isThere(address) {
  return fetch(address, { signal: AbortSignal.timeout(5_000) }).then(
    () => true,
    () => false,
  );
}

/** The sandbox that `npm run dev` starts. */
async function sandboxEnv() {
  const { defaultIds } = await import('zitadel-sandbox');
  return {
    ZITADEL_DOMAIN: `http://localhost:${process.env.SANDBOX_PORT || 8080}`,
    ZITADEL_CLI_CLIENT_ID: defaultIds.device,
    IDP_PROJECT_ID: defaultIds.project,
  };
}

function commandLine() {
  try {
    const { values } = parseArgs({
      options: {
        'env-file': { type: 'string' },
        sandbox: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (values['env-file'] !== undefined && !existsSync(values['env-file']))
      fail(`--env-file: ${values['env-file']} does not exist`);
    return values;
  } catch (error) {
    return fail(`${error.message.split('. ')[0]}. See --help`);
  }
}

function fail(sentence) {
  console.error(sentence);
  process.exit(2);
}
