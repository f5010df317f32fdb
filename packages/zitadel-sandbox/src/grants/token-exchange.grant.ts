import { issueAccessToken } from '../access-token.js';
import { audiencesIn } from '../audience.js';
import type { Call } from '../call.js';
import type { Application } from '../clients.js';
import { newGrantId, type Grant } from '../grant.js';
import { issueIdToken } from '../id-token.js';
import { nowSeconds } from '../now.js';
import { OidcError } from '../oidc.error.js';
import { findAccessToken } from '../presented-token.js';
import type { AccessToken } from '../provider.js';
import type { Realm } from '../realm.js';
import { issueRefreshToken } from '../refresh-token.js';
import { scope, scopesFrom } from '../scopes.js';
import { scopesStoredIn } from '../stored-scope.js';
import { expiresIn, type TokenResponse } from '../tokens.js';

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

/**
 * Trades somebody's access token for another one (RFC 8693): for fewer scopes, for a part of its audience, of another
 * kind. To act for somebody else is off, as Zitadel's security policy is shipped.
 */
export async function tokenExchangeGrant(
  { params }: Call,
  realm: Realm,
  application: Application,
): Promise<TokenResponse> {
  checkTypes(params);
  if (params['subject_token_type'] === tokenType.userId || params['actor_token']) {
    throw new OidcError('invalid_request', 'Errors.TokenExchange.Impersonation.PolicyDisabled', forbidden);
  }
  const subject = await findAccessToken(realm, params['subject_token'] ?? '');
  const user = realm.directory.byId(subject?.accountId);
  if (!subject || !user || !isAccessTokenType(params['subject_token_type'])) {
    throw new OidcError('invalid_request', 'subject_token invalid');
  }
  const requested = params['requested_token_type'] || tokenType.accessToken;
  if (requested === tokenType.refreshToken) {
    throw new OidcError('invalid_request', 'Errors.TokenExchange.Token.TypeNotSupported');
  }
  const grant: Grant = {
    id: newGrantId(),
    user,
    application,
    scopes: narrowedScopes(subject, params['scope']),
    audience: narrowedAudience(subject, params['audience']),
    amr: (subject.extra?.['amr'] as string[] | undefined) ?? [],
  };
  return { ...(await exchanged(realm, grant, requested)), scope: grant.scopes.join(' ') };
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

function narrowedScopes(subject: AccessToken, requested: string | undefined): string[] {
  const granted = scopesStoredIn(subject.scope);
  const wanted = scopesFrom(requested);
  return checkedPart('scope', 'invalid_scope', wanted, granted);
}

function narrowedAudience(subject: AccessToken, requested: string | undefined): string[] {
  return checkedPart('audience', 'invalid_target', requested ? [requested] : [], audiencesIn(subject));
}

/** All of `held` when nothing is wanted. */
function checkedPart(name: string, error: string, wanted: string[], held: string[]): string[] {
  const foreign = wanted.find((one) => !held.includes(one));
  if (foreign !== undefined) {
    throw new OidcError(error, `${name} "${foreign}" not found in subject or actor token`);
  }
  return wanted.length > 0 ? wanted : held;
}

async function exchanged(realm: Realm, grant: Grant, type: string): Promise<TokenResponse> {
  const expires_in = expiresIn(realm);
  if (type === tokenType.idToken) {
    const access_token = await issueIdToken(realm, grant);
    return { access_token, issued_token_type: type, token_type: 'N_A', expires_in };
  }
  const access_token = await issueAccessToken(realm, grant, type === tokenType.jwt ? 'jwt' : 'opaque');
  const { scopes } = grant;
  return {
    access_token,
    issued_token_type: type,
    token_type: 'Bearer',
    expires_in,
    ...(scopes.includes(scope.offlineAccess) && {
      refresh_token: await issueRefreshToken(realm, grant, nowSeconds()),
    }),
    ...(scopes.includes(scope.openid) && { id_token: await issueIdToken(realm, grant, access_token) }),
  };
}
