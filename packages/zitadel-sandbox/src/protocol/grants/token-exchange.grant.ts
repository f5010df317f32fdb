import type { Application } from '../../directory/applications.js';
import { scope, scopesFrom, decodeScopes } from '../../directory/scopes.js';
import type { SandboxUser } from '../../directory/users.js';
import type { Call } from '../../http/call.js';
import { OidcError } from '../../http/oidc.error.js';
import type { Instance } from '../../instance/instance.js';
import { audiencesIn } from '../../keys/client-assertion.js';
import { newGrantId, type Grant } from '../../sessions/grant.js';
import { nowSeconds } from '../../storage/now.js';
import type { AccessToken } from '../../storage/provider.js';
import { issueAccessToken } from '../../tokens/access-token.js';
import { issueIdToken } from '../../tokens/id-token.js';
import { findAccessToken } from '../../tokens/presented-token.js';
import { issueRefreshToken, expiresIn, type TokenResponse } from '../../tokens/token-response.js';

type Parameters = Call['params'];

const prefix = 'urn:ietf:params:oauth:token-type:';
const tokenType = {
  accessToken: `${prefix}access_token`,
  refreshToken: `${prefix}refresh_token`,
  idToken: `${prefix}id_token`,
  jwt: `${prefix}jwt`,
  userId: 'urn:zitadel:params:oauth:token-type:user_id',
};
const subjectTypes: string[] = [tokenType.accessToken, tokenType.idToken, tokenType.jwt, tokenType.userId];
const requestedTypes: string[] = [
  ...[tokenType.accessToken, tokenType.refreshToken],
  ...[tokenType.idToken, tokenType.jwt],
];
const forbidden = 403;

interface Exchange {
  user: SandboxUser;
  /** undefined when the subject token is a user id */
  subject?: AccessToken;
  /** the token of the impersonator */
  actor?: AccessToken;
}

/**
 * The token exchange grant (RFC 8693): issues an access token with fewer scopes, a smaller audience or of another type,
 * or one with which an impersonator acts for a user.
 */
export async function tokenExchangeGrant(
  { params }: Call,
  instance: Instance,
  application: Application,
): Promise<TokenResponse> {
  checkTypes(params);
  const exchange = await resolveExchange(params, instance);
  const requested = params['requested_token_type'] || tokenType.accessToken;
  if (requested === tokenType.refreshToken) {
    throw new OidcError('invalid_request', 'Errors.TokenExchange.Token.TypeNotSupported');
  }
  const { user, subject, actor } = exchange;
  const grant: Grant = {
    id: newGrantId(),
    user,
    application,
    scopes: narrowScopes(exchange, params['scope']),
    audience: narrowAudience(exchange, params['audience']),
    amr: ((subject ?? actor)?.extra?.['amr'] as string[] | undefined) ?? [],
    ...(actor && { act: { iss: instance.issuer, sub: actor.accountId } }),
  };
  instance.exchanges.set(grant.id, grant);
  return { ...(await issueExchangedToken(instance, grant, requested)), scope: grant.scopes.join(' ') };
}

/** Finds the subject and the actor of the new token. Impersonation is disabled unless the sandbox has `impersonators`. */
async function resolveExchange(params: Parameters, instance: Instance): Promise<Exchange> {
  const isUserId = params['subject_token_type'] === tokenType.userId;
  if ((isUserId || params['actor_token']) && !instance.impersonators) {
    throw new OidcError('invalid_request', 'Errors.TokenExchange.Impersonation.PolicyDisabled', forbidden);
  }
  const subject = isUserId ? undefined : await findAccessToken(instance, params['subject_token'] ?? '');
  const user = instance.directory.byId(isUserId ? params['subject_token'] : subject?.accountId);
  const actor = params['actor_token'] ? await findAccessToken(instance, params['actor_token']) : undefined;
  if (params['actor_token'] && !actor) throw new OidcError('invalid_request', 'actor_token invalid');
  const isUsable = isUserId
    ? actor !== undefined
    : subject && isAccessTokenType(params['subject_token_type']);
  if (!user || !isUsable) throw new OidcError('invalid_request', 'subject_token invalid');
  if (actor) checkImpersonator(actor, user, instance);
  return { user, ...(subject && { subject }), ...(actor && { actor }) };
}

/** @throws OidcError unless the actor is an impersonator of the user's organization */
function checkImpersonator(actor: AccessToken, user: SandboxUser, instance: Instance): void {
  const person = instance.directory.byId(actor.accountId);
  const isAllowed =
    person && instance.impersonators?.includes(person.loginName) && person.home.id === user.home.id;
  if (!isAllowed) throw new OidcError('invalid_request', 'membership not found', 404);
}

function checkTypes(params: Parameters): void {
  if (!params['subject_token']) throw new OidcError('invalid_request', 'subject_token missing');
  if (!params['subject_token_type']) throw new OidcError('invalid_request', 'subject_token_type missing');
  if (!subjectTypes.includes(params['subject_token_type'])) {
    throw new OidcError('invalid_request', 'subject_token_type is not supported');
  }
  if (params['requested_token_type'] && !requestedTypes.includes(params['requested_token_type'])) {
    throw new OidcError('invalid_request', 'requested_token_type is not supported');
  }
  if (params['resource']) throw new OidcError('invalid_target', 'resource parameter not supported');
}

function isAccessTokenType(type: string | undefined): boolean {
  return type === tokenType.accessToken || type === tokenType.jwt;
}

function narrowScopes({ subject, actor }: Exchange, requested: string | undefined): string[] {
  const held = [subject, actor]
    .filter((token) => token !== undefined)
    .map(({ scope }) => decodeScopes(scope));
  return checkSubset('scope', 'invalid_scope', scopesFrom(requested), held);
}

function narrowAudience({ subject, actor }: Exchange, requested: string | undefined): string[] {
  const held = [subject, actor].filter((token) => token !== undefined).map(audiencesIn);
  return checkSubset('audience', 'invalid_target', requested ? [requested] : [], held);
}

/** Returns the requested values, which the subject or actor token must have; default: all values of the first token. */
function checkSubset(name: string, error: string, wanted: string[], held: string[][]): string[] {
  const foreign = wanted.find((one) => !held.flat().includes(one));
  if (foreign !== undefined) {
    throw new OidcError(error, `${name} "${foreign}" not found in subject or actor token`);
  }
  return wanted.length > 0 ? wanted : (held[0] ?? []);
}

async function issueExchangedToken(instance: Instance, grant: Grant, type: string): Promise<TokenResponse> {
  const expires_in = expiresIn(instance);
  if (type === tokenType.idToken) {
    const access_token = await issueIdToken(instance, grant);
    return { access_token, issued_token_type: type, token_type: 'N_A', expires_in };
  }
  const access_token = await issueAccessToken(instance, grant, type === tokenType.jwt ? 'jwt' : 'opaque');
  const { scopes } = grant;
  return {
    access_token,
    issued_token_type: type,
    token_type: 'Bearer',
    expires_in,
    ...(scopes.includes(scope.offlineAccess) && {
      refresh_token: await issueRefreshToken(instance, grant, nowSeconds()),
    }),
    ...(scopes.includes(scope.openid) && { id_token: await issueIdToken(instance, grant, access_token) }),
  };
}
