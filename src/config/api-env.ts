import { z } from 'zod';
import {
  type ApiKey,
  type ApiKeyFields,
  apiKeyFrom,
  ApiKeyProblem,
  isPlainRemote,
  isSameField,
  keyFileFields,
  KeyFileProblem,
  wholeKey,
} from '@mridang/nestjs-zitadel';
import { ConfigError } from './config-error.js';
import {
  ALLOW_INSECURE_HTTP,
  IDP_PROJECT_ID,
  INTROSPECTION_TIMEOUT,
  issuerUrl,
  LOG_LEVEL,
  METRICS_TOKEN,
  NODE_ENV,
  origins,
  trueOrFalse,
  wholeNumber,
  ZITADEL_TIMEOUT,
} from './shared-variables.js';
import { given, readVariables, type Variable } from './variable.js';

/** The configuration of the API, read once at start. */
export type ApiEnv = ReturnType<typeof readApiEnv>;

/** Injection token of `ApiEnv`. */
export const API_ENV = Symbol('ApiEnv');

const inKeyFile = 'the JSON file Zitadel gives when a key is made at the API application has it';

/** Every variable the API reads, in the order of the documentation. */
export const apiVariables = {
  NODE_ENV,
  APP_PORT: {
    about: 'Port the API listens on.',
    expected: 'a port number, 1 to 65535',
    default: '3001',
    schema: wholeNumber(1, 65_535).default(3001),
  },
  LOG_LEVEL,
  IDP_AUTHORITY: {
    about: 'Address of your Zitadel instance: its issuer. ZITADEL_DOMAIN, if this is empty.',
    expected: 'an address without a path, such as https://my-instance.zitadel.cloud or http://localhost:8080',
    how: 'Zitadel console, the address you sign in at',
    schema: issuerUrl.optional(),
  },
  ZITADEL_API_KEY_FILE: {
    about: 'The key of the API application: instead of the IDP_AUTHORIZATION_PROFILE_* variables.',
    expected: 'the path of the JSON file as downloaded, or its content',
    how: 'Zitadel console, Projects, your project, your API application, Keys, New',
    mayBeQuoted: true,
    schema: z.string().optional(),
  },
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
  IDP_PROJECT_ID,
  INTROSPECTION_TIMEOUT,
  ZITADEL_TIMEOUT,
  API_CORS_ORIGINS: {
    about: 'Origins of web pages that may call the API from a browser.',
    expected: 'a comma-separated list of origins, such as https://app.example.com, or nothing',
    schema: origins,
  },
  API_ACCEPT_IMPERSONATION: {
    about:
      'Whether tokens count with which somebody acts for somebody else by token exchange (claim `act`). Their `sub` is the other person.',
    expected: 'true or false',
    default: 'false',
    schema: trueOrFalse.default(false),
  },
  API_ACCEPT_PERSONAL_ACCESS_TOKENS: {
    about:
      'Whether tokens count that were issued to no application: Zitadel calls a personal access token active for every API, whichever service user has it.',
    expected: 'true or false',
    default: 'true',
    schema: trueOrFalse.default(true),
  },
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

const variableOf: Record<keyof ApiKeyFields, keyof typeof apiVariables> = {
  type: 'IDP_AUTHORIZATION_PROFILE_TYPE',
  keyId: 'IDP_AUTHORIZATION_PROFILE_KEY_ID',
  key: 'IDP_AUTHORIZATION_PROFILE_KEY',
  appId: 'IDP_AUTHORIZATION_PROFILE_APP_ID',
  clientId: 'IDP_AUTHORIZATION_PROFILE_CLIENT_ID',
};

/** Reads the configuration of the API. Throws `ConfigError` with all problems at once. */
export function readApiEnv(source: Record<string, string | undefined>) {
  const { values, problems, report } = readVariables(apiVariables, source);
  const production = values.NODE_ENV === 'production';
  const authority = values.IDP_AUTHORITY ?? given(source, 'ZITADEL_DOMAIN');
  const isAuthorityBad = problems.some(({ variable }) => variable === 'IDP_AUTHORITY');
  if (!isAuthorityBad && !issuerUrl.safeParse(authority).success) report('IDP_AUTHORITY');
  else if (authority && isPlainRemote(new URL(authority)) && !values.ALLOW_INSECURE_HTTP) {
    report('IDP_AUTHORITY', 'https:// (http:// only on this machine, or with ALLOW_INSECURE_HTTP=true)');
  }
  const key = keyFrom(values, report);
  if (problems.length > 0 || !authority || !key) throw new ConfigError(problems);
  return {
    production,
    port: values.APP_PORT ?? 3001,
    logLevel: values.LOG_LEVEL ?? 'info',
    metricsToken: values.METRICS_TOKEN,
    zitadel: {
      issuer: new URL(authority).origin,
      allowInsecureHttp: values.ALLOW_INSECURE_HTTP ?? false,
      timeoutSeconds: values.ZITADEL_TIMEOUT ?? 10,
    },
    introspectionTimeoutSeconds: values.INTROSPECTION_TIMEOUT ?? 5,
    key,
    projectId: values.IDP_PROJECT_ID,
    accepts: {
      impersonation: values.API_ACCEPT_IMPERSONATION ?? false,
      withoutClient: values.API_ACCEPT_PERSONAL_ACCESS_TOKENS ?? true,
    },
    corsOrigins: values.API_CORS_ORIGINS ?? [],
    isSwaggerShown: values.API_SWAGGER ?? !production,
    swaggerClientId: values.API_SWAGGER_CLIENT_ID,
  };
}

type Values = ReturnType<typeof readVariables<typeof apiVariables>>['values'];
type Report = ReturnType<typeof readVariables<typeof apiVariables>>['report'];

function keyFrom(values: Values, report: Report): ApiKey | undefined {
  const given = givenFields(values, report);
  const path = values.ZITADEL_API_KEY_FILE;
  try {
    if (path === undefined) return apiKeyFrom(given);
    const file = keyFileFields(path);
    reportContradictions(given, file, 'ZITADEL_API_KEY_FILE', report);
    return apiKeyFrom(file);
  } catch (error) {
    const problems = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    for (const problem of problems) {
      if (problem instanceof KeyFileProblem) report('ZITADEL_API_KEY_FILE', problem.expected);
      else if (!(problem instanceof ApiKeyProblem)) throw error;
      else if (path === undefined) report(variableOf[problem.field], problem.expected);
      else report('ZITADEL_API_KEY_FILE', `a file in which \`${problem.field}\` is ${problem.expected}`);
    }
    return undefined;
  }
}

/** The `IDP_AUTHORIZATION_PROFILE_*` variables. `…_KEY` may hold the whole key file, which then fills in the others. */
function givenFields(values: Values, report: Report): ApiKeyFields {
  const given: ApiKeyFields = {
    type: values.IDP_AUTHORIZATION_PROFILE_TYPE,
    keyId: values.IDP_AUTHORIZATION_PROFILE_KEY_ID,
    key: values.IDP_AUTHORIZATION_PROFILE_KEY,
    appId: values.IDP_AUTHORIZATION_PROFILE_APP_ID,
    clientId: values.IDP_AUTHORIZATION_PROFILE_CLIENT_ID,
  };
  const whole = given.key === undefined ? undefined : wholeKey(given.key);
  if (!whole) return given;
  const beside = { ...given, key: whole.key };
  reportContradictions(beside, { ...beside, ...whole }, 'the JSON in IDP_AUTHORIZATION_PROFILE_KEY', report);
  return { ...beside, ...whole };
}

/** Reports variables that contradict the key file. `type` has a message of its own. */
function reportContradictions(given: ApiKeyFields, file: ApiKeyFields, source: string, report: Report) {
  for (const field of ['keyId', 'key', 'appId', 'clientId'] as const) {
    const value = given[field];
    if (value !== undefined && !isSameField(field, value, file[field]))
      report(variableOf[field], `what ${source} says, or nothing`);
  }
}
