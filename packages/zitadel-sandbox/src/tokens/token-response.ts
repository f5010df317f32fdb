import { scope, encodeScopes } from '../directory/scopes.js';
import type { Instance } from '../instance/instance.js';
import type { Grant } from '../sessions/grant.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import { findClient } from '../storage/provider.js';
import { issueAccessToken } from './access-token.js';
import { issueIdToken } from './id-token.js';

/** The response of the token endpoint. Zitadel sends `scope` and `issued_token_type` only after a token exchange. */
export interface TokenResponse {
  access_token: string;
  token_type: 'Bearer' | 'N_A';
  expires_in: number;
  refresh_token?: string;
  id_token?: string;
  scope?: string;
  issued_token_type?: string;
}

interface RefreshTerms {
  firstIssuedAt?: number | undefined;
  accessScopes?: string[];
}

/**
 * Issues the tokens of a grant. `firstIssuedAt` (seconds since 1970) is the start of the refresh token's absolute
 * lifetime; `accessScopes` are the scopes of this access token, if a refresh requests fewer than were granted.
 */
export async function issueTokens(
  instance: Instance,
  grant: Grant,
  { firstIssuedAt = nowSeconds(), accessScopes = grant.scopes }: RefreshTerms = {},
): Promise<TokenResponse> {
  const accessToken = await issueAccessToken(instance, { ...grant, scopes: accessScopes });
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn(instance),
    ...(getsRefreshToken(grant) && {
      refresh_token: await issueRefreshToken(instance, grant, firstIssuedAt),
    }),
    ...(grant.scopes.includes(scope.openid) && {
      id_token: await issueIdToken(instance, grant, accessToken),
    }),
  };
}

/** `expires_in` in seconds. Zitadel truncates the remaining lifetime, so it is one second short. */
export function expiresIn({ lifetimes }: Instance): number {
  return Math.max(0, lifetimes.accessTokenSeconds - 1);
}

// Login V1 issues a refresh token to an application without that grant; the token endpoint then rejects it
function getsRefreshToken({ application, scopes, sid }: Grant): boolean {
  if (!application || !scopes.includes(scope.offlineAccess)) return false;
  return Boolean(sid?.startsWith('V1_')) || application.grantTypes.includes('refresh_token');
}

/** Issues a refresh token. It expires after the idle lifetime or the absolute lifetime, whichever ends first. */
export async function issueRefreshToken(
  instance: Instance,
  grant: Grant,
  firstIssuedAt: number,
): Promise<string> {
  const now = nowSeconds();
  const { refreshTokenIdleSeconds, refreshTokenSeconds } = instance.lifetimes;
  const jti = `${grant.id}-rt_${newId()}`;
  const token = new instance.provider.RefreshToken({
    client: await findClient(instance.provider, grant.application?.clientId ?? ''),
    jti,
    iat: now,
    iiat: firstIssuedAt,
    exp: Math.min(now + refreshTokenIdleSeconds, firstIssuedAt + refreshTokenSeconds),
    accountId: grant.user.id,
    scope: encodeScopes(grant.scopes),
    grantId: grant.id,
    gty: 'refresh_token',
    authTime: grant.authTime,
    amr: grant.amr,
    nonce: grant.nonce,
    sid: grant.sid,
  });
  await token.save();
  return instance.encryption.encryptLongLived(`${jti}:${grant.user.id}`);
}
