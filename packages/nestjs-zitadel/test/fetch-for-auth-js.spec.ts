import { describe, expect, it } from '@jest/globals';
import { SignInFailed } from '@mridang/nestjs-auth';
import type { CheckedMetadata } from '../src/client/checked-metadata.js';
import type { Discovery } from '../src/client/discovery.js';
import { fetchForAuthJs } from '../src/sign-in/fetch-for-auth-js.js';
import { IdpMisconfigured, IdpUnavailable, IdTokenRefused } from '../src/client/oidc.errors.js';
import type { ResolvedZitadelOptions } from '../src/zitadel.options.js';
import type { TokenVerifier } from '../src/tokens/token-verifier.js';

const issuer = 'https://zitadel.example';
const redirectUri = 'https://app.example/auth/callback';
const options = { issuer, redirectUri } as ResolvedZitadelOptions;
const wellKnown = `${issuer}/.well-known/openid-configuration`;
const metadata = { issuer, token_endpoint: `${issuer}/token`, userinfo_endpoint: `${issuer}/userinfo` };
const tokens = { token_type: 'Bearer', access_token: 'at', id_token: 'it' };

interface Given {
  metadata?: Record<string, unknown> | Error;
  /** of the token endpoint */
  token?: Response;
  userinfo?: Response;
  /** of the ID token, or the error of its verification */
  claims?: { sub: string } | Error;
}

function start({ metadata: known = metadata, token, userinfo, claims = { sub: 'alice' } }: Given = {}) {
  const sent: { address: string; body: string }[] = [];
  const discovery = {
    metadata: () =>
      known instanceof Error ? Promise.reject(known) : Promise.resolve(known as unknown as CheckedMetadata),
    fetch: (address: string, init?: RequestInit) => {
      sent.push({ address, body: init?.body instanceof URLSearchParams ? init.body.toString() : '' });
      return Promise.resolve(
        (address === metadata.token_endpoint ? token : userinfo) ?? Response.json(tokens),
      );
    },
  } as Discovery;
  const verifier = {
    idToken: () => (claims instanceof Error ? Promise.reject(claims) : Promise.resolve(claims)),
  } as unknown as TokenVerifier;
  const call = fetchForAuthJs(options, discovery, verifier, () => undefined);
  const exchange = () =>
    call(metadata.token_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', redirect_uri: 'https://app.example/x' }),
    });
  const ask = (address: string) => call(address, { headers: { authorization: 'Bearer at' } });
  return { call, exchange, ask, sent };
}

const reasonOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return error instanceof SignInFailed ? error.reason : error;
};

describe('fetchForAuthJs()', () => {
  it('returns the cached metadata without a request', async () => {
    const { call, sent } = start();
    expect(await (await call(wellKnown)).json()).toEqual(metadata);
    expect(sent).toEqual([]);
  });

  it('sends the configured redirect URI to the token endpoint', async () => {
    const { exchange, sent } = start();
    expect(await (await exchange()).json()).toEqual(tokens);
    expect(new URLSearchParams(sent[0]?.body).get('redirect_uri')).toBe(redirectUri);
  });

  it('returns the claims of userinfo when they have the same sub', async () => {
    const { exchange, ask } = start({ userinfo: Response.json({ sub: 'alice', name: 'Alice' }) });
    await exchange();
    expect(await (await ask(metadata.userinfo_endpoint)).json()).toMatchObject({ name: 'Alice' });
  });

  it('returns the claims of the ID token when there is no userinfo endpoint', async () => {
    const without = { issuer, token_endpoint: metadata.token_endpoint };
    const { call, exchange, ask, sent } = start({ metadata: without });
    await exchange();
    const { userinfo_endpoint: address } = (await (await call(wellKnown)).json()) as typeof metadata;
    expect(await (await ask(address)).json()).toEqual({ sub: 'alice' });
    expect(sent.map((request) => request.address)).toEqual([metadata.token_endpoint]);
  });

  it('returns a malformed userinfo response unchanged', async () => {
    const { exchange, ask } = start({ userinfo: new Response('oops') });
    await exchange();
    expect(await (await ask(metadata.userinfo_endpoint)).text()).toBe('oops');
  });
});

describe('fetchForAuthJs() fails', () => {
  it.each([
    [
      'id_token_invalid',
      'there is no ID token',
      { token: Response.json({ ...tokens, id_token: undefined }) },
    ],
    ['id_token_invalid', 'the ID token is not text', { token: Response.json({ ...tokens, id_token: {} }) }],
    ['id_token_invalid', 'the ID token is refused', { claims: new IdTokenRefused() }],
    ['provider_error', 'token_type is DPoP', { token: Response.json({ ...tokens, token_type: 'DPoP' }) }],
    ['provider_error', 'there is no token_type', { token: Response.json({ access_token: 'at' }) }],
    ['provider_error', 'the token response is a list', { token: Response.json([]) }],
    ['provider_error', 'the token response is not JSON', { token: new Response('oops') }],
    [
      'provider_misconfigured',
      'the client is refused',
      { token: Response.json({ error: 'invalid_client' }, { status: 400 }) },
    ],
    [
      'login_already_used',
      'the code is refused',
      { token: Response.json({ error: 'invalid_grant' }, { status: 400 }) },
    ],
  ] as [string, string, Given][])('with %s when %s', async (reason, _name, given) => {
    expect(await reasonOf(start(given).exchange())).toBe(reason);
  });

  it('with provider_misconfigured when the metadata have another issuer', async () => {
    expect(await reasonOf(start({ metadata: new IdpMisconfigured() }).call(wellKnown))).toBe(
      'provider_misconfigured',
    );
  });

  it('with IdpUnavailable when Zitadel is unreachable', async () => {
    const unavailable = new IdpUnavailable();
    expect(await reasonOf(start({ metadata: unavailable }).call(wellKnown))).toBe(unavailable);
    expect(await reasonOf(start({ claims: unavailable }).exchange())).toBe(unavailable);
  });
});
