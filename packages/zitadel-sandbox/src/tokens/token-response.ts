import { scope, storedScope } from '../directory/scopes.js';
import type { Instance } from '../instance/instance.js';
import type { Grant } from '../sessions/grant.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import { clientOf } from '../storage/provider.js';
import { issueAccessToken } from './access-token.js';
import { issueIdToken } from './id-token.js';

/** The answer of the token endpoint. Zitadel sends `scope` and `issued_token_type` only with exchanged tokens. */
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
 * Issues what the grant is entitled to. `firstIssuedAt` (seconds) bounds the refresh token's whole life;
 * `accessScopes` are those of this one access token, when a refresh asks for less than was granted.
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
    ...(mayRefresh(grant) && { refresh_token: await issueRefreshToken(instance, grant, firstIssuedAt) }),
    ...(grant.scopes.includes(scope.openid) && {
      id_token: await issueIdToken(instance, grant, accessToken),
    }),
  };
}

/** Seconds; Zitadel truncates what is left by the time it answers. */
export function expiresIn({ lifetimes }: Instance): number {
  return Math.max(0, lifetimes.accessTokenSeconds - 1);
}

// Login V1 hands one out without the app's grant, which then refuses to be used
function mayRefresh({ application, scopes, sid }: Grant): boolean {
  if (!application || !scopes.includes(scope.offlineAccess)) return false;
  return Boolean(sid?.startsWith('V1_')) || application.grantTypes.includes('refresh_token');
}

/** A refresh token that lives for the idle time, but not beyond its time since `firstIssuedAt` (seconds). */
export async function issueRefreshToken(
  instance: Instance,
  grant: Grant,
  firstIssuedAt: number,
): Promise<string> {
  const now = nowSeconds();
  const { refreshTokenIdleSeconds, refreshTokenSeconds } = instance.lifetimes;
  const jti = `${grant.id}-rt_${newId()}`;
  const token = new instance.provider.RefreshToken({
    client: await clientOf(instance.provider, grant.application?.clientId ?? ''),
    jti,
    iat: now,
    iiat: firstIssuedAt,
    exp: Math.min(now + refreshTokenIdleSeconds, firstIssuedAt + refreshTokenSeconds),
    accountId: grant.user.id,
    scope: storedScope(grant.scopes),
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
