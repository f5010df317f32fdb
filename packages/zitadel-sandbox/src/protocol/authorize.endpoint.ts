import type { Application } from '../directory/applications.js';
import { isRedirectUriOf, isSchemeAllowed } from '../directory/redirect-uris.js';
import {
  requestedOrganization,
  requestedScopes,
  scopesFrom,
  withAssertedRoleScopes,
} from '../directory/scopes.js';
import { redirect } from '../http/answers.js';
import type { Call } from '../http/call.js';
import { OidcError, contact } from '../http/oidc.error.js';
import type { Endpoint, Instance } from '../instance/instance.js';
import { saveAuthRequest, type AuthRequest } from '../login/auth-request.js';
import { sendAuthorizationResponse } from '../login/authorization-response.js';
import { isMember } from '../login/login-context.js';
import { loginPath, loginV1Path } from '../login/paths.js';
import { verifiedRequestObject } from './request-object.js';

type Parameters = Call['params'];

const wholeNumber = /^\d+$/;
const largestWholeNumber = 2n ** 64n - 1n;

/**
 * `GET|POST /oauth/v2/authorize`. As in Zitadel, an error in the request itself is a JSON response, never a redirect;
 * only later errors are sent to the redirect URI (server_http.go, authorize).
 */
export const authorize: Endpoint = async (call, instance) => {
  const params = await readParameters(call.params, instance);
  const { application, redirectUri } = findApplication(params, instance);
  const request = await validateRequest(params, application, redirectUri, instance);
  const refusal = organizationRefusal(request, instance);
  if (refusal) {
    sendAuthorizationResponse(call.ctx, request, {
      error: refusal.error,
      error_description: refusal.description,
    });
    return;
  }
  request.browserId = instance.sessions.ensureBrowserId(call.ctx);
  const id = await saveAuthRequest(instance, request);
  redirect(
    call.ctx,
    request.loginVersion === 1
      ? `${loginV1Path}?authRequestID=${id}`
      : `${instance.loginOrigin}${loginPath}?authRequest=${id}`,
  );
};

async function readParameters(params: Parameters, instance: Instance): Promise<Parameters> {
  checkMaxAge(params);
  if (!params['request']) return params;
  const merged = { ...params, ...(await verifiedRequestObject(params, instance)) };
  checkMaxAge(merged);
  return merged;
}

function checkMaxAge({ max_age: maxAge }: Parameters): void {
  if (!maxAge || (wholeNumber.test(maxAge) && BigInt(maxAge) <= largestWholeNumber)) return;
  throw new OidcError('invalid_request', 'error decoding form');
}

function findApplication(
  params: Parameters,
  instance: Instance,
): { application: Application; redirectUri: string } {
  if (!params['client_id']) throw new OidcError('invalid_request', 'auth request is missing client_id');
  const redirectUri = params['redirect_uri'];
  if (!redirectUri) throw new OidcError('server_error', 'auth request is missing redirect_uri', 500);
  const application = instance.applications.oidcClient(params['client_id']);
  if (!application) throw new OidcError('invalid_request', 'Errors.App.NotFound');
  return { application, redirectUri };
}

async function validateRequest(
  params: Parameters,
  application: Application,
  redirectUri: string,
  instance: Instance,
): Promise<AuthRequest> {
  const prompts = promptsFrom(params['prompt']);
  const scopes = scopesFor(params['scope'], application);
  checkRedirectUri(application, redirectUri, params['response_type'] ?? '');
  checkResponseType(application, params['response_type']);
  const maxAge = params['max_age'];
  const hint = params['id_token_hint']
    ? await instance.keys.verifiedClaims(params['id_token_hint'])
    : undefined;
  return {
    clientId: application.clientId,
    redirectUri,
    responseType: params['response_type'] ?? '',
    responseMode: responseMode(params),
    scopes,
    prompts,
    loginVersion: loginVersionOf(instance, application),
    ...optional('state', params['state']),
    ...optional('nonce', params['nonce']),
    ...optional('maxAgeSeconds', maxAge ? Number(maxAge) : undefined),
    ...optional('loginHint', params['login_hint']),
    ...optional('hintedUserId', hint?.['sub'] as string | undefined),
    ...optional('uiLocales', params['ui_locales']),
    ...optional('codeChallenge', params['code_challenge']),
    ...optional('codeChallengeMethod', params['code_challenge'] ? challengeMethod(params) : undefined),
  };
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [Key in Name]?: Value } {
  return (value === undefined || value === '' ? {} : { [name]: value }) as { [Key in Name]?: Value };
}

function promptsFrom(parameter: string | undefined): string[] {
  const prompts = scopesFrom(parameter);
  if (prompts.includes('none') && prompts.length > 1) {
    throw new OidcError('invalid_request', 'The prompt parameter `none` must only be used as a single value');
  }
  return prompts;
}

function scopesFor(parameter: string | undefined, { project }: Application): string[] {
  return withAssertedRoleScopes(requestedScopes(parameter, project), project);
}

function checkRedirectUri(application: Application, uri: string, responseType: string): void {
  if (!isRedirectUriOf(application, uri)) {
    throw new OidcError(
      'invalid_request',
      `The requested redirect_uri is missing in the client configuration. ${contact}`,
    );
  }
  if (!isSchemeAllowed(application, uri, responseType)) {
    throw new OidcError(
      'invalid_request',
      `This client's redirect_uri is http and is not allowed. ${contact}`,
    );
  }
}

function checkResponseType(application: Application, responseType: string | undefined): void {
  if (!responseType) {
    throw new OidcError('invalid_request', `The response type is missing in your request. ${contact}`);
  }
  if (!application.responseTypes.includes(responseType)) {
    throw new OidcError(
      'unauthorized_client',
      `The requested response type is missing in the client configuration. ${contact}`,
    );
  }
}

/** Tokens are never sent in a query (OAuth 2.0 Multiple Response Type Encoding Practices, section 5). */
function responseMode({ response_mode: mode, response_type: type }: Parameters): AuthRequest['responseMode'] {
  if (mode === 'fragment' || mode === 'form_post') return mode;
  return type === 'code' ? 'query' : 'fragment';
}

function challengeMethod(params: Parameters): 'S256' | 'plain' {
  return params['code_challenge_method'] === 'S256' ? 'S256' : 'plain';
}

function organizationRefusal(request: AuthRequest, instance: Instance): OidcError | undefined {
  try {
    const organization = requestedOrganization(request.scopes, instance.directory.organizations);
    if (!organization) return undefined;
    request.organizationId = organization.id;
    const hinted = instance.directory.byId(request.hintedUserId);
    if (!hinted || isMember(hinted, request)) return undefined;
    return new OidcError('invalid_request', 'Errors.User.NotAllowedOrg');
  } catch (error) {
    if (error instanceof OidcError) return error;
    throw error;
  }
}

/** The version of the login UI: the instance's feature "Login V2" overrides the application's setting. */
function loginVersionOf(instance: Instance, application: Application | undefined): 1 | 2 {
  return instance.features.loginV2Required ? 2 : (application?.loginVersion ?? 2);
}
