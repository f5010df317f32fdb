import { hash } from 'node:crypto';
import { SignInFailed } from '@mridang/nestjs-auth';
import { LRUCache } from 'lru-cache';
import type { ResolvedZitadelOptions } from '../zitadel.options.js';
import { text } from '../claims/claims.js';
import { codeRefusal } from '../client/code-refusal.js';
import type { Discovery } from '../client/discovery.js';
import type { IdTokenClaims } from '../tokens/id-token.js';
import { isBearer } from '../client/is-bearer.js';
import { isGrant } from '../client/is-grant.js';
import { jsonOf } from '../http/json-of.js';
import { IdpMisconfigured, IdTokenRefused } from '../client/oidc.errors.js';
import type { TokenVerifier } from '../tokens/token-verifier.js';

/** From the answer of the token endpoint to the call of userinfo. */
const BETWEEN_CALLS_MS = 30_000;

const MAX_SIGN_INS = 1_000;

/** Tokens of a sign-in that has come to nothing. */
export type Discard = (tokens: { refresh_token?: string | undefined }) => void;

/** What came for a code. */
interface Exchanged {
  /** of the ID token, which is verified */
  claims: IdTokenClaims;
  discard: () => void;
}

/**
 * `fetch` for a sign-in by Auth.js, which reads the metadata every time, builds the redirect URI from its own path and
 * trusts an ID token for having come through TLS. Here the metadata come from memory, the code grant repeats the configured
 * redirect URI (RFC 6749 4.1.3), and the ID token is verified. Failures are `SignInFailed`.
 *
 * @param discard gets the tokens where the ID token is refused, or userinfo is not about its user
 */
export function fetchForAuthJs(
  { issuer, callbackUrl }: ResolvedZitadelOptions,
  discovery: Discovery,
  verifier: TokenVerifier,
  discard: Discard,
): typeof fetch {
  /** by the access token */
  const signIns = new LRUCache<string, Exchanged>({ max: MAX_SIGN_INS, ttl: BETWEEN_CALLS_MS });
  /** Where Auth.js is sent for claims when there is nowhere to ask. */
  const noUserinfo = `${issuer}/no-userinfo-endpoint`;

  return async (input, init) => {
    try {
      const address = input instanceof Request ? input.url : String(input);
      if (address === `${issuer}/.well-known/openid-configuration`) {
        return Response.json({ userinfo_endpoint: noUserinfo, ...(await discovery.metadata()) });
      }
      if (isGrant(init, 'authorization_code')) return await exchanged(address, init);
      const signIn = signIns.get(bearerIn(init));
      if (address === noUserinfo) return Response.json(signIn?.claims);
      return await (signIn ? userinfo(signIn, input, init) : discovery.fetch(input, init));
    } catch (error) {
      if (error instanceof IdTokenRefused) throw new SignInFailed('id_token_invalid', { cause: error });
      if (error instanceof IdpMisconfigured) {
        throw new SignInFailed('provider_misconfigured', { cause: error });
      }
      throw error;
    }
  };

  async function exchanged(address: string, init: RequestInit & { body: URLSearchParams }) {
    init.body.set('redirect_uri', callbackUrl);
    const answer = await discovery.fetch(address, init);
    const body = await jsonOf(answer);
    const refusal = codeRefusal(answer.status, body);
    if (refusal)
      throw new SignInFailed(refusal, { cause: new Error('The code was refused', { cause: body }) });
    if (!body || !isBearer(body)) throw new SignInFailed('provider_error', { cause: noTokens });
    const { access_token: accessToken, refresh_token: refreshToken } = body;
    const hashed = text(accessToken);
    const drop = () => discard({ refresh_token: text(refreshToken) });
    const claims = await verified(body['id_token'], hashed).catch((error: unknown) => {
      drop();
      throw error;
    });
    if (hashed !== undefined) signIns.set(fingerprint(hashed), { claims, discard: drop });
    return answer;
  }

  async function verified(idToken: unknown, accessToken: string | undefined) {
    if (typeof idToken !== 'string')
      throw new IdTokenRefused({ cause: new TypeError('The answer has no ID token') });
    return verifier.idToken(idToken, accessToken);
  }

  /** Auth.js gives up on an answer about somebody else, and has told nobody yet of the tokens. */
  async function userinfo(
    { claims, discard: drop }: Exchanged,
    ...[input, init]: Parameters<typeof fetch>
  ): Promise<Response> {
    let sub: unknown;
    try {
      const answer = await discovery.fetch(input, init);
      sub = answer.ok && (await jsonOf(answer))?.['sub'];
      return answer;
    } finally {
      if (sub !== claims.sub) drop();
    }
  }
}

const noTokens = new TypeError('The answer to the code holds no bearer token');

const fingerprint = (accessToken: string) => hash('sha256', accessToken, 'base64url');

const bearerIn = (init: RequestInit | undefined) =>
  fingerprint(new Headers(init?.headers).get('authorization')?.replace(/^bearer /i, '') ?? '');
