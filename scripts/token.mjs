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
try {
  const token = await tokenByDevice(await client(), ({ address, code, expiresInSeconds }) =>
    console.error(
      `Open ${address}\nand allow the request with the code ${code}. Waiting for ${Math.round(expiresInSeconds / 60)} minutes …`,
    ),
  );
  console.log(token);
} catch (error) {
  if (!(error instanceof DeviceTokenRefused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function client() {
  const file = args['env-file'] ?? '.env';
  const source = { ...process.env };
  try {
    if (!args.sandbox) loadEnvFile(source, variableNames, file);
    const isConfigured = source.ZITADEL_DOMAIN || source.IDP_AUTHORITY;
    return readCommandEnv(args.sandbox || !isConfigured ? await sandboxEnv() : source);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return fail(explain(error));
  }
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
