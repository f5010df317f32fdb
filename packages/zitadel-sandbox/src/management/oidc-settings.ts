import { z } from 'zod';
import type { Application } from '../directory/applications.js';
import { isLoopbackUri } from '../http/uris.js';
import { text, texts, word } from './method.js';

const responseTypes = {
  OIDC_RESPONSE_TYPE_CODE: 'code',
  OIDC_RESPONSE_TYPE_ID_TOKEN: 'id_token',
  OIDC_RESPONSE_TYPE_ID_TOKEN_TOKEN: 'id_token token',
} as const;
const grantTypes = {
  OIDC_GRANT_TYPE_AUTHORIZATION_CODE: 'authorization_code',
  OIDC_GRANT_TYPE_IMPLICIT: 'implicit',
  OIDC_GRANT_TYPE_REFRESH_TOKEN: 'refresh_token',
  OIDC_GRANT_TYPE_DEVICE_CODE: 'urn:ietf:params:oauth:grant-type:device_code',
  OIDC_GRANT_TYPE_TOKEN_EXCHANGE: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const;
const applicationTypes = {
  OIDC_APP_TYPE_WEB: 'web',
  OIDC_APP_TYPE_USER_AGENT: 'user_agent',
  OIDC_APP_TYPE_NATIVE: 'native',
} as const;
const authMethods = {
  OIDC_AUTH_METHOD_TYPE_BASIC: 'basic',
  OIDC_AUTH_METHOD_TYPE_POST: 'post',
  OIDC_AUTH_METHOD_TYPE_NONE: 'none',
  OIDC_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT: 'private_key_jwt',
} as const;
const tokenTypes = { OIDC_TOKEN_TYPE_BEARER: 'opaque', OIDC_TOKEN_TYPE_JWT: 'jwt' } as const;
const apiAuthMethods = {
  API_AUTH_METHOD_TYPE_BASIC: 'basic',
  API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT: 'private_key_jwt',
} as const;

function wordsOf<Word extends string>(table: Record<Word, unknown>): readonly [Word, ...Word[]] {
  return Object.keys(table) as unknown as readonly [Word, ...Word[]];
}

const maxSkewSeconds = 5;

/** The message validation of a clock skew such as `0s`; `request` is the name of the message around it. */
const clockSkew = (kind: 'Create' | 'Update') =>
  z
    .string()
    .regex(/^\d+s$/)
    .refine((value) => Number.parseInt(value) <= maxSkewSeconds, {
      message:
        `invalid ${kind}ApplicationRequest.OidcConfiguration: embedded message failed validation | caused by: ` +
        `invalid ${kind}OIDCApplicationRequest.ClockSkew: value must be inside range [0s, 5s]`,
    })
    .optional();

const oidcConfiguration = (kind: 'Create' | 'Update') =>
  z.object({
    redirectUris: texts,
    postLogoutRedirectUris: texts,
    responseTypes: texts,
    grantTypes: texts,
    applicationType: word(wordsOf(applicationTypes)),
    authMethodType: word(wordsOf(authMethods)),
    accessTokenType: word(wordsOf(tokenTypes)),
    developmentMode: z.boolean().optional(),
    accessTokenRoleAssertion: z.boolean().optional(),
    idTokenRoleAssertion: z.boolean().optional(),
    idTokenUserinfoAssertion: z.boolean().optional(),
    clockSkew: clockSkew(kind),
    backChannelLogoutUri: z.string().optional(),
    loginVersion: z.object({ loginV1: z.unknown().optional(), loginV2: z.unknown().optional() }).optional(),
  });

const apiConfiguration = z.object({ authMethodType: word(wordsOf(apiAuthMethods)) });

export const createRequest = z.object({
  projectId: text('CreateApplicationRequest.ProjectId'),
  name: text('CreateApplicationRequest.Name'),
  oidcConfiguration: oidcConfiguration('Create').optional(),
  apiConfiguration: apiConfiguration.optional(),
});

export const updateRequest = z.object({
  applicationId: text('UpdateApplicationRequest.ApplicationId'),
  projectId: text('UpdateApplicationRequest.ProjectId'),
  name: z.string().optional(),
  oidcConfiguration: oidcConfiguration('Update').optional(),
  apiConfiguration: apiConfiguration.optional(),
});

type OidcConfiguration = z.infer<ReturnType<typeof oidcConfiguration>>;

/** The values that a list of enum words stands for; unknown words are ignored. */
function valuesOf<Value>(table: Record<string, Value>, words: string[] = []): Value[] {
  return words.map((one) => table[one]).filter((value) => value !== undefined);
}

const orCode = <Value>(values: Value[], code: Value): Value[] => (values.length === 0 ? [code] : values);

/**
 * The settings that a configuration changes. As in Zitadel, empty lists of addresses are ignored, and grant types,
 * response types and login version that are left out fall back to their defaults.
 */
export function settingsFrom(given: OidcConfiguration): Partial<Application> {
  const { redirectUris = [], postLogoutRedirectUris = [], loginVersion } = given;
  return definedOf({
    redirectUris: redirectUris.length > 0 ? redirectUris : undefined,
    postLogoutRedirectUris: postLogoutRedirectUris.length > 0 ? postLogoutRedirectUris : undefined,
    responseTypes: orCode(valuesOf(responseTypes, given.responseTypes), 'code'),
    grantTypes: orCode(valuesOf<string>(grantTypes, given.grantTypes), 'authorization_code'),
    applicationType: given.applicationType && applicationTypes[given.applicationType],
    authMethod: given.authMethodType && authMethods[given.authMethodType],
    accessTokenType: given.accessTokenType && tokenTypes[given.accessTokenType],
    devMode: given.developmentMode,
    accessTokenRoleAssertion: given.accessTokenRoleAssertion,
    idTokenRoleAssertion: given.idTokenRoleAssertion,
    idTokenUserinfo: given.idTokenUserinfoAssertion,
    clockSkewSeconds: given.clockSkew === undefined ? undefined : Number.parseInt(given.clockSkew),
    backChannelLogoutUri: given.backChannelLogoutUri,
    loginVersionSetting: loginVersion ?? null,
    loginVersion: loginVersion && 'loginV1' in loginVersion ? 1 : 2,
  });
}

function definedOf(settings: Record<string, unknown>): Partial<Application> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

export function apiSettingsFrom({
  authMethodType = 'API_AUTH_METHOD_TYPE_BASIC',
}: z.infer<typeof apiConfiguration>): Pick<Application, 'authMethod'> {
  return { authMethod: apiAuthMethods[authMethodType] };
}

function wordFor(table: Record<string, unknown>, value: unknown): string | undefined {
  return Object.keys(table).find((one) => table[one] === value);
}

const wordsFor = (table: Record<string, unknown>, values: readonly string[]) =>
  values.map((value) => wordFor(table, value));

/** The configuration as searches show it: without the zero values of protobuf. */
export function oidcView(application: Application): object {
  const { redirectUris, postLogoutRedirectUris, applicationType, authMethod, accessTokenType } = application;
  const origins = [...new Set(redirectUris.filter(isHttp).map((uri) => new URL(uri).origin))];
  return withoutZeros({
    redirectUris,
    responseTypes: wordsFor(responseTypes, application.responseTypes),
    grantTypes: wordsFor(grantTypes, application.grantTypes),
    applicationType: applicationType === 'web' ? '' : wordFor(applicationTypes, applicationType),
    clientId: application.clientId,
    authMethodType: authMethod === 'basic' ? '' : wordFor(authMethods, authMethod),
    postLogoutRedirectUris,
    ...complianceOf(application),
    developmentMode: application.devMode,
    accessTokenType: accessTokenType === 'opaque' ? '' : wordFor(tokenTypes, accessTokenType),
    accessTokenRoleAssertion: application.accessTokenRoleAssertion,
    idTokenRoleAssertion: application.idTokenRoleAssertion,
    idTokenUserinfoAssertion: application.idTokenUserinfo,
    clockSkew: `${application.clockSkewSeconds}s`,
    allowedOrigins: origins,
    backChannelLogoutUri: application.backChannelLogoutUri,
    loginVersion: application.loginVersionSetting,
  });
}

export function apiView({ clientId, authMethod }: Application): object {
  return withoutZeros({
    clientId,
    authMethodType: authMethod === 'basic' ? '' : wordFor(apiAuthMethods, authMethod),
  });
}

function withoutZeros(message: Record<string, unknown>): object {
  const given = Object.entries(message).filter(
    ([, value]) => ![undefined, null, '', false].includes(value as null) && !isEmptyList(value),
  );
  return Object.fromEntries(given);
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;
const isHttp = (uri: string) => URL.canParse(uri) && /^https?:/.test(uri);

const noncompliant = 'Application.OIDC.V1.NotCompliant';

/** The problems that Zitadel says while it saves the settings all the same. */
export function complianceOf({ applicationType, redirectUris, grantTypes: grants }: Application): {
  nonCompliant?: true;
  complianceProblems?: { key: string }[];
} {
  const needsRedirect = grants.includes('authorization_code') && redirectUris.length === 0;
  const isCustom = applicationType !== 'native' && redirectUris.some((uri) => !isHttp(uri));
  const isHttpInBrowser =
    applicationType === 'user_agent' && redirectUris.some((uri) => uri.startsWith('http://'));
  const problems = [
    ...(needsRedirect ? ['Application.OIDC.V1.NoRedirectUris'] : []),
    ...(isCustom ? ['Application.OIDC.V1.Code.RedirectUris.CustomOnlyForNative'] : []),
    ...(isHttpInBrowser ? [noncompliant, 'Application.OIDC.V1.Code.RedirectUris.HttpOnlyForWeb'] : []),
  ];
  if (problems.length === 0) return {};
  return { nonCompliant: true, complianceProblems: [noncompliant, ...problems].map((key) => ({ key })) };
}

/** False where Zitadel refuses the combination of grant types. */
export function hasFirstGrant(grants: readonly string[]): boolean {
  return grants.some((one) => one !== 'refresh_token');
}

const neverAllowed = /^169\.254\./;
const privateAddress = /^(10|127|192\.168|172\.(1[6-9]|2\d|3[01]))\./;

/**
 * True when Zitadel takes the address. It refuses what its deny list has, and host names that it cannot resolve: of
 * those the sandbox knows `localhost` alone.
 */
export function isBackChannelUriAllowed(uri: string, isDenied: boolean): boolean {
  if (uri === '') return true;
  // the port is not looked at
  const withoutPort = uri.replace(/:\d+(?=\/|$)/, '');
  if (!URL.canParse(withoutPort)) return false;
  const { hostname } = new URL(withoutPort);
  if (isLoopbackUri(`http://${hostname}`)) return !isDenied;
  const isAddress = /^\d+(\.\d+){3}$/.test(hostname);
  return isAddress && !neverAllowed.test(hostname) && !(isDenied && privateAddress.test(hostname));
}
