import { hash } from 'node:crypto';
import { SignInFailed } from '@mridang/nestjs-auth';
import { LRUCache } from 'lru-cache';
import type { ResolvedZitadelOptions } from '../zitadel.options.js';
import { text } from '../claims/claims.js';
import type { CheckedMetadata } from '../client/checked-metadata.js';
import type { Discovery } from '../client/discovery.js';
import type { IdTokenClaims } from '../tokens/id-token.js';
import { codeRefusal, isBearer, isGrant } from '../client/token-endpoint.js';
import { ReadResponse } from '../http/bounded-fetch.js';
import { jsonOf } from '../http/json-of.js';
import { IdpMisconfigured, IdTokenRefused } from '../client/oidc.errors.js';
import type { TokenVerifier } from '../tokens/token-verifier.js';

/** Maximum time between the token response and the userinfo request of a sign-in. */
const SIGN_IN_TTL_MS = 30_000;

const MAX_SIGN_INS = 1_000;

/** Receives the tokens of a failed sign-in, to revoke them. */
export type Discard = (tokens: { refresh_token?: string | undefined }) => void;

/** The result of a code grant. */
interface CodeGrant {
  /** of the validated ID token */
  claims: IdTokenClaims;
  revoke: () => void;
}

/**
 * `fetch` for Auth.js, which fetches the metadata for every sign-in, builds the redirect URI from its own path, and does not verify the
 * signature of an ID token. Here the metadata come from the cache, the code grant has the configured redirect URI (RFC 6749 4.1.3), and
 * the ID token is verified.
 *
 * @param discard receives the tokens when the ID token is refused, or the `sub` of userinfo differs
 * @throws `SignInFailed`
 */
export function fetchForAuthJs(
  { issuer, redirectUri }: ResolvedZitadelOptions,
  discovery: Discovery,
  verifier: TokenVerifier,
  discard: Discard,
): typeof fetch {
  /** by the hash of the access token */
  const signIns = new LRUCache<string, CodeGrant>({
    max: MAX_SIGN_INS,
    ttl: SIGN_IN_TTL_MS,
    // Sets no timer for each request.
    ttlResolution: 0,
  });
  /** Userinfo endpoint for Auth.js where Zitadel's metadata have none: answers with the claims of the ID token. */
  const noUserinfo = `${issuer}/no-userinfo-endpoint`;

  let known: { metadata: CheckedMetadata; answer: Response } | undefined;

  return async (input, init) => {
    try {
      const address = input instanceof Request ? input.url : String(input);
      if (address === `${issuer}/.well-known/openid-configuration`) {
        return metadataAnswer(await discovery.metadata());
      }
      if (isGrant(init, 'authorization_code')) return await redeemCode(address, init);
      const signIn = signIns.get(bearerHashIn(init));
      if (address === noUserinfo) return Response.json(signIn?.claims);
      return await (signIn ? fetchUserinfo(signIn, input, init) : discovery.fetch(input, init));
    } catch (error) {
      if (error instanceof IdTokenRefused) throw new SignInFailed('id_token_invalid', { cause: error });
      if (error instanceof IdpMisconfigured) {
        throw new SignInFailed('provider_misconfigured', { cause: error });
      }
      throw error;
    }
  };

  function metadataAnswer(metadata: CheckedMetadata): Response {
    if (known?.metadata !== metadata) {
      const content = JSON.stringify({ userinfo_endpoint: noUserinfo, ...metadata });
      const headers = { 'content-type': 'application/json' };
      known = { metadata, answer: new ReadResponse(content, { headers }) };
    }
    return known.answer;
  }

  async function redeemCode(address: string, init: RequestInit & { body: URLSearchParams }) {
    init.body.set('redirect_uri', redirectUri);
    const answer = await discovery.fetch(address, init);
    const body = await jsonOf(answer);
    const refusal = codeRefusal(answer.status, body);
    if (refusal)
      throw new SignInFailed(refusal, { cause: new Error('The code was refused', { cause: body }) });
    if (!body || !isBearer(body)) throw new SignInFailed('provider_error', { cause: noTokens });
    const accessToken = text(body['access_token']);
    const revoke = () => discard({ refresh_token: text(body['refresh_token']) });
    const claims = await verify(body['id_token'], accessToken).catch((error: unknown) => {
      revoke();
      throw error;
    });
    if (accessToken !== undefined) signIns.set(hashOf(accessToken), { claims, revoke });
    return answer;
  }

  async function verify(idToken: unknown, accessToken: string | undefined) {
    if (typeof idToken !== 'string')
      throw new IdTokenRefused({ cause: new TypeError('The token response has no ID token') });
    return verifier.idToken(idToken, accessToken);
  }

  /** Revokes the tokens when Auth.js is going to refuse the response: it does not pass the tokens to a callback before. */
  async function fetchUserinfo(
    { claims, revoke }: CodeGrant,
    ...[input, init]: Parameters<typeof fetch>
  ): Promise<Response> {
    let sub: unknown;
    try {
      const answer = await discovery.fetch(input, init);
      sub = answer.ok && (await jsonOf(answer))?.['sub'];
      return answer;
    } finally {
      if (sub !== claims.sub) revoke();
    }
  }
}

const noTokens = new TypeError('The token response has no bearer token');

const hashOf = (accessToken: string) => hash('sha256', accessToken, 'base64url');

const bearerHashIn = (init: RequestInit | undefined) =>
  hashOf(new Headers(init?.headers).get('authorization')?.replace(/^bearer /i, '') ?? '');
