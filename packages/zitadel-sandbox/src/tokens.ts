import { issueAccessToken } from './access-token.js';
import type { Grant } from './grant.js';
import { issueIdToken } from './id-token.js';
import { nowSeconds } from './now.js';
import type { Realm } from './realm.js';
import { issueRefreshToken } from './refresh-token.js';
import { scope } from './scopes.js';

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
  realm: Realm,
  grant: Grant,
  { firstIssuedAt = nowSeconds(), accessScopes = grant.scopes }: RefreshTerms = {},
): Promise<TokenResponse> {
  const accessToken = await issueAccessToken(realm, { ...grant, scopes: accessScopes });
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn(realm),
    ...(mayRefresh(grant) && { refresh_token: await issueRefreshToken(realm, grant, firstIssuedAt) }),
    ...(grant.scopes.includes(scope.openid) && { id_token: await issueIdToken(realm, grant, accessToken) }),
  };
}

/** Seconds; Zitadel truncates what is left by the time it answers. */
export function expiresIn({ lifetimes }: Realm): number {
  return Math.max(0, lifetimes.accessTokenSeconds - 1);
}

// Login V1 hands one out without the app's grant, which then refuses to be used
function mayRefresh({ application, scopes, sid }: Grant): boolean {
  if (!application || !scopes.includes(scope.offlineAccess)) return false;
  return Boolean(sid?.startsWith('V1_')) || application.grantTypes.includes('refresh_token');
}
