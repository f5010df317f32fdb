import {
  ConfigError,
  given,
  originList,
  port,
  readVariables,
  trueOrFalse,
  type Variable,
} from '@mridang/nestjs-program';
import { apiKeyOf, isPlainRemote, type ApiKeySource } from '@mridang/nestjs-zitadel';
import { z } from 'zod';
import {
  ALLOW_INSECURE_HTTP,
  HTTPS,
  introspectionOf,
  issuer,
  issuerUrl,
  LOG_LEVEL,
  METRICS_TOKEN,
  NODE_ENV,
  ORGANIZATIONS,
  tokenVariables,
  ZITADEL_TIMEOUT,
} from './shared-variables.js';

/** The configuration of the API, read once at start. */
export type ApiEnv = ReturnType<typeof readApiEnv>;

/** Injection token of `ApiEnv`. */
export const API_ENV = Symbol('ApiEnv');

const inKeyFile = 'the JSON file Zitadel gives when a key is made at the API application has it';

/** Every variable the API reads, in the order of the documentation. */
export const apiVariables = {
  NODE_ENV,
  APP_PORT: port(3001, 'Port the API listens on.'),
  LOG_LEVEL,
  IDP_AUTHORITY: {
    ...issuer('Address of your Zitadel instance: its issuer. ZITADEL_DOMAIN, if this is empty.'),
    schema: issuerUrl.optional(),
  },
  ...tokenVariables,
  IDP_AUTHORIZATION_TYPE: {
    about: 'How the API proves to Zitadel who it is.',
    expected: 'jwt-profile, the one way there is',
    default: 'jwt-profile',
    schema: z.enum(['jwt-profile', 'private_key_jwt']).default('jwt-profile'),
  },
  IDP_AUTHORIZATION_PROFILE_TYPE: {
    about: 'Whose key it is: `type` in the key file.',
    expected: 'application',
    default: 'application',
    schema: z.enum(['application']).default('application'),
  },
  IDP_AUTHORIZATION_PROFILE_KEY_ID: {
    about: 'ID of the key: `keyId` in the key file.',
    expected: 'the ID of the key',
    how: inKeyFile,
    schema: z.string().optional(),
  },
  IDP_AUTHORIZATION_PROFILE_KEY: {
    about: 'The private key: `key` in the key file. The whole file will do, too: then the rest may be empty.',
    expected:
      'the RSA key as PEM (PKCS#1 or PKCS#8, line breaks may be \\n), the whole JSON file, or the base64 of either',
    how: inKeyFile,
    mayBeQuoted: true,
    schema: z.string().optional(),
  },
  IDP_AUTHORIZATION_PROFILE_APP_ID: {
    about: 'ID of the API application: `appId` in the key file. Said in the log at start.',
    expected: 'the ID of the application, or nothing',
    how: inKeyFile,
    schema: z.string().optional(),
  },
  IDP_AUTHORIZATION_PROFILE_CLIENT_ID: {
    about: 'Client ID of the API application: `clientId` in the key file.',
    expected: 'the client ID of the API application',
    how: inKeyFile,
    schema: z.string().optional(),
  },
  ORGANIZATIONS,
  ZITADEL_TIMEOUT,
  API_CORS_ORIGINS: originList(
    'https://app.example.com',
    'Origins of web pages that may call the API from a browser.',
  ),
  API_SWAGGER: {
    about: 'Shows the Swagger UI at /api.',
    expected: 'true or false',
    default: 'true (false in production)',
    schema: trueOrFalse.optional(),
  },
  API_SWAGGER_CLIENT_ID: {
    about:
      'Client ID of the application Swagger UI logs in as, with PKCE and no secret. It needs the redirect URI /api/oauth2-redirect.html of the API. Empty: npm run dev does not offer the Swagger UI, which then takes a token you have.',
    expected: 'a client ID, or nothing',
    schema: z.string().optional(),
  },
  METRICS_TOKEN,
  ALLOW_INSECURE_HTTP,
} satisfies Record<string, Variable>;

/** Reads the configuration of the API. Throws `ConfigError` with all problems at once. */
export function readApiEnv(source: Record<string, string | undefined>) {
  const { values, problems, report } = readVariables(apiVariables, source);
  const production = values.NODE_ENV === 'production';
  const authority = values.IDP_AUTHORITY ?? given(source, 'ZITADEL_DOMAIN');
  const isAuthorityBad = problems.some(({ variable }) => variable === 'IDP_AUTHORITY');
  if (!isAuthorityBad && !issuerUrl.safeParse(authority).success) report('IDP_AUTHORITY');
  else if (authority && isPlainRemote(new URL(authority)) && !values.ALLOW_INSECURE_HTTP)
    report('IDP_AUTHORITY', HTTPS);
  const key = apiKeyOf(sourceIn(values), (field, expected) => report(variableOf[field], expected));
  if (problems.length > 0 || !authority || !key) throw new ConfigError(problems);
  return {
    production,
    port: values.APP_PORT,
    logLevel: values.LOG_LEVEL,
    metricsToken: values.METRICS_TOKEN,
    zitadel: {
      issuer: new URL(authority).origin,
      organizations: values.ORGANIZATIONS,
      allowInsecureHttp: values.ALLOW_INSECURE_HTTP,
      timeoutSeconds: values.ZITADEL_TIMEOUT,
    },
    key,
    ...introspectionOf(values),
    corsOrigins: values.API_CORS_ORIGINS,
    isSwaggerShown: values.API_SWAGGER ?? !production,
    swaggerClientId: values.API_SWAGGER_CLIENT_ID,
  };
}

const variableOf = {
  file: 'ZITADEL_API_KEY_FILE',
  type: 'IDP_AUTHORIZATION_PROFILE_TYPE',
  keyId: 'IDP_AUTHORIZATION_PROFILE_KEY_ID',
  key: 'IDP_AUTHORIZATION_PROFILE_KEY',
  appId: 'IDP_AUTHORIZATION_PROFILE_APP_ID',
  clientId: 'IDP_AUTHORIZATION_PROFILE_CLIENT_ID',
} as const satisfies Record<keyof ApiKeySource, keyof typeof apiVariables>;

type Values = ReturnType<typeof readVariables<typeof apiVariables>>['values'];

const sourceIn = (values: Values) =>
  Object.fromEntries(
    Object.entries(variableOf).map(([field, variable]) => [field, values[variable]]),
  ) as ApiKeySource;
