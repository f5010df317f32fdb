import type { Application } from './clients.js';
import { profileClaims, roleClaims, scopedClaims, type Claims } from './claims.js';
import { createHash } from 'node:crypto';
import { newId, nowSeconds } from './ids.js';
import { saveAccessToken, type AccessToken } from './provider.js';
import type { Realm } from './realm.js';
import { projectsAskedFor, scope } from './scopes.js';
import type { SandboxUser } from './users.js';

/** A granted login (Zitadel: "OIDC session"): all tokens of it carry its id and end with it. */
export interface Grant {
  id: string;
  user: SandboxUser;
  /** undefined for service users, who log in without an application */
  application?: Application;
  scopes: string[];
  authTime: number;
  amr: string[];
  nonce?: string;
  /** id of the browser session */
  sid?: string;
}

/** The answer of the token endpoint. Zitadel sends no `scope` with it. */
export interface TokenResponse {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  refresh_token?: string;
  id_token?: string;
}

export function newGrantId(): string {
  return `V2_${newId()}`;
}

/** Issues what the grant is entitled to. `firstIssuedAt` (seconds) bounds the refresh token's whole life. */
export async function issueTokens(
  realm: Realm,
  grant: Grant,
  firstIssuedAt: number = nowSeconds(),
): Promise<TokenResponse> {
  const accessToken = await issueAccessToken(realm, grant);
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    // Zitadel truncates what is left by the time it answers
    expires_in: Math.max(0, realm.lifetimes.accessTokenSeconds - 1),
    ...(mayRefresh(grant) && { refresh_token: await issueRefreshToken(realm, grant, firstIssuedAt) }),
    ...(grant.scopes.includes(scope.openid) && { id_token: await issueIdToken(realm, grant, accessToken) }),
  };
}

// Login V1 hands one out without the app's grant, which then refuses to be used
function mayRefresh({ application, scopes }: Grant): boolean {
  if (!application || !scopes.includes(scope.offlineAccess)) return false;
  return application.loginVersion === 1 || application.grantTypes.includes('refresh_token');
}

/** Every client id of the project, the project, and the projects asked for. */
function audienceOf(realm: Realm, { application, scopes }: Pick<Grant, 'application' | 'scopes'>): string[] {
  const own = application
    ? [...realm.applications.clientIdsOf(application.project), application.project.id]
    : [];
  return [...new Set([...own, ...projectsAskedFor(scopes)])];
}

async function issueAccessToken(realm: Realm, grant: Grant): Promise<string> {
  const { application, user } = grant;
  const now = nowSeconds();
  const jti = `${grant.id}-at_${newId()}`;
  const clientId = application?.clientId ?? user.id;
  const token = await saveAccessToken(realm.provider, {
    client: await knownClient(realm, clientId),
    jti,
    iat: now,
    exp: now + realm.lifetimes.accessTokenSeconds,
    accountId: user.id,
    aud: audienceOf(realm, grant),
    scope: grant.scopes.join(' '),
    grantId: grant.id,
    gty: 'authorization_code',
    extra: { authTime: grant.authTime, amr: known(grant.amr) },
    ...(grant.sid !== undefined && { sid: grant.sid }),
  });
  const kind = application ? application.accessTokenType : (user.accessTokenType ?? 'opaque');
  return kind === 'jwt'
    ? realm.keys.sign(jwtAccessTokenClaims(realm, grant, token))
    : realm.seal.seal(`${jti}:${user.id}`);
}

function jwtAccessTokenClaims(realm: Realm, grant: Grant, token: AccessToken): Claims {
  const { application, user, scopes } = grant;
  const skew = application?.clockSkewSeconds ?? 0;
  return {
    iss: realm.issuer,
    sub: user.id,
    aud: token.aud,
    exp: (token.exp ?? 0) + skew,
    iat: token.iat - skew,
    nbf: token.iat - skew,
    client_id: token.clientId,
    jti: token.jti,
    ...scopedClaims(user, scopes),
    ...(application?.accessTokenRoleAssertion && roleClaims(user, scopes, application.project)),
  };
}

async function issueRefreshToken(realm: Realm, grant: Grant, firstIssuedAt: number): Promise<string> {
  const now = nowSeconds();
  const { refreshTokenIdleSeconds, refreshTokenSeconds } = realm.lifetimes;
  const jti = `${grant.id}-rt_${newId()}`;
  const token = new realm.provider.RefreshToken({
    client: await knownClient(realm, grant.application?.clientId ?? ''),
    jti,
    iat: now,
    iiat: firstIssuedAt,
    exp: Math.min(now + refreshTokenIdleSeconds, firstIssuedAt + refreshTokenSeconds),
    accountId: grant.user.id,
    scope: grant.scopes.join(' '),
    grantId: grant.id,
    gty: 'refresh_token',
    authTime: grant.authTime,
    amr: grant.amr,
    nonce: grant.nonce,
    sid: grant.sid,
  });
  await token.save();
  return realm.seal.seal(`${jti}:${grant.user.id}`);
}

async function issueIdToken(realm: Realm, grant: Grant, accessToken: string): Promise<string> {
  const { application, user, scopes } = grant;
  const clientId = application?.clientId ?? user.id;
  const skew = application?.clockSkewSeconds ?? 0;
  const now = nowSeconds();
  return realm.keys.sign({
    iss: realm.issuer,
    sub: user.id,
    aud: audienceOf(realm, grant),
    exp: now + realm.lifetimes.idTokenSeconds + skew,
    iat: now - skew,
    auth_time: grant.authTime - skew,
    nonce: grant.nonce,
    amr: known(grant.amr),
    azp: clientId,
    client_id: clientId,
    at_hash: leftHalfHash(accessToken),
    sid: grant.sid,
    ...scopedClaims(user, scopes),
    ...(application?.idTokenUserinfo && profileClaims(user, scopes)),
    ...(application?.idTokenRoleAssertion && roleClaims(user, scopes, application.project)),
  });
}

// Zitadel leaves amr out when no method of its own was used
function known(amr: string[]): string[] | undefined {
  return amr.length > 0 ? amr : undefined;
}

function leftHalfHash(value: string): string {
  return createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');
}

async function knownClient(
  realm: Realm,
  clientId: string,
): Promise<ConstructorParameters<Realm['provider']['AccessToken']>[0]['client']> {
  const client = await realm.provider.Client.find(clientId);
  if (!client) throw new Error(`The client ${clientId} is not known`);
  return client;
}
