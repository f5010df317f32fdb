import { ConfigError, readVariables, type Variable } from '@mridang/nestjs-program';
import { isPlainRemote, type DeviceClient } from '@mridang/nestjs-zitadel';
import { z } from 'zod';
import { apiVariables } from './api-env.js';
import { HTTPS } from './shared-variables.js';

/** What only `npm run token` reads. */
export const commandVariables = {
  ZITADEL_CLI_CLIENT_ID: {
    about:
      'Client ID of the application npm run token gets a token with: type Native, grant type Device Code, no secret.',
    expected: 'a client ID',
    how: 'npm run setup makes the application and writes this variable',
    schema: z.string().regex(/^\S{1,255}$/),
  },
} satisfies Record<string, Variable>;

/** Reads the configuration of `npm run token`: the API's Zitadel and project. Throws `ConfigError` with all problems at once. */
export function readCommandEnv(source: Record<string, string | undefined>): DeviceClient {
  const { IDP_AUTHORITY, IDP_PROJECT_ID, ALLOW_INSECURE_HTTP } = apiVariables;
  const read = {
    ZITADEL_DOMAIN: IDP_AUTHORITY,
    IDP_AUTHORITY,
    IDP_PROJECT_ID,
    ALLOW_INSECURE_HTTP,
    ...commandVariables,
  };
  const { values, problems, report } = readVariables(read, source);
  const name = values.IDP_AUTHORITY === undefined ? 'ZITADEL_DOMAIN' : 'IDP_AUTHORITY';
  const address = values[name];
  const allowInsecureHttp = values.ALLOW_INSECURE_HTTP ?? false;
  if (problems.length === 0 && address === undefined) report(name);
  else if (address !== undefined && isPlainRemote(new URL(address)) && !allowInsecureHttp)
    report(name, HTTPS);
  const clientId = values.ZITADEL_CLI_CLIENT_ID;
  if (problems.length > 0 || address === undefined || clientId === undefined) throw new ConfigError(problems);
  return { issuer: new URL(address).origin, clientId, projectId: values.IDP_PROJECT_ID, allowInsecureHttp };
}
